#include "model/application.h"

#include "base/hasher.h"

namespace estab::model {

void StreamRecord::hash_into(base::Hasher& h) const {
  if (open) h.add(irs);
  h.add_all(id.index, id.generation, iss, sent, read, peer_ordinal);
  h.add_all(passive, open, shut, let_go, left, aborted, ended, closed, failure);
}

void Application::hash_into(base::Hasher& h) const {
  h.add_all(listener.has_value(), has_listened, opened, count);
  for (std::size_t i = 0; i < count; ++i) streams[i].hash_into(h);
}

Application Application::moved(std::uint32_t by) const {
  Application result = *this;
  for (std::size_t i = 0; i < count; ++i) {
    result.streams[i].iss = streams[i].iss + by;
    result.streams[i].irs = streams[i].irs + by;
  }
  return result;
}

}  // namespace estab::model
