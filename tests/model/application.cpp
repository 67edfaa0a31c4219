#include "model/application.h"

#include "base/hasher.h"

namespace estab::model {

void StreamRecord::hash_into(base::Hasher& h) const {
  h.add_all(id.index, id.generation, iss.value(), irs.value(), sent, read, peer_ordinal);
  h.add_all(passive, open, shut, let_go, left, aborted, ended, closed, failure);
}

void Application::hash_into(base::Hasher& h) const {
  h.add_all(listener.has_value(), has_listened, opened, count);
  for (std::size_t i = 0; i < count; ++i) streams[i].hash_into(h);
}

}  // namespace estab::model
