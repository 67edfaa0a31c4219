#include "tcp/congestion/controller.h"

#include "base/hasher.h"

namespace estab::tcp::congestion {

// [RFC 9293 MAY-18]
Controller::State Controller::make_state() const {
  switch (algorithm_) {
    case Algorithm::new_reno:
      break;
    case Algorithm::cubic:
      return Cubic(settings_);
    case Algorithm::bbr:
      return Bbr(settings_);
    case Algorithm::dctcp:
      return Dctcp(settings_);
  }
  return NewReno(settings_);
}

std::uint32_t Controller::congestion_window() const {
  if (!state_) return congestion::initial_window(settings_);
  return std::visit([](const auto& state) { return state.congestion_window(); }, *state_);
}

std::uint32_t Controller::ssthresh() const {
  if (!state_) return kNoThreshold;
  return std::visit([](const auto& state) { return state.ssthresh(); }, *state_);
}

std::uint64_t Controller::pacing_rate(Duration srtt) const {
  if (!state_) return kUnpaced;
  return std::visit([&](const auto& state) { return state.pacing_rate(srtt); }, *state_);
}

std::uint32_t Controller::send_quantum(Duration srtt) const {
  if (!state_) return quantum_of(kUnpaced, settings_.mss);
  return std::visit([&](const auto& state) { return state.send_quantum(srtt); }, *state_);
}

void Controller::on_sent(const SentEvent& event) {
  if (!state_) state_.emplace(make_state());
  tell([&](auto& state) { state.on_sent(event); });
}

void Controller::on_lost(const LostPacket& packet) {
  tell([&](auto& state) { state.on_lost(packet); });
}

void Controller::on_ack(const AckEvent& event) {
  tell([&](auto& state) { state.on_ack(event); });
}

void Controller::on_congestion(Cause cause, const LossEvent& event) {
  tell([&](auto& state) { state.on_congestion(cause, event); });
}

void Controller::on_spurious() {
  tell([](auto& state) { state.on_spurious(); });
}

void Controller::on_recovered() {
  tell([](auto& state) { state.on_recovered(); });
}

void Controller::on_mss(std::uint32_t mss) {
  settings_.mss = mss;
  tell([&](auto& state) { state.on_mss(mss); });
}

void Controller::on_restart_after_idle(RestartEvent event) {
  event.window = restart_window();
  tell([&](auto& state) { state.on_restart_after_idle(event); });
}

void Controller::hash_into(base::Hasher& hasher, std::uint64_t total_delivered) const {
  hasher.add_all(settings_.mss, settings_.initial_window_segments, settings_.paced, algorithm_,
                 initial_window_lost_, static_cast<bool>(state_));
  if (!state_) return;
  std::visit([&](const auto& state) { state.hash_into(hasher, total_delivered); }, *state_);
}

}  // namespace estab::tcp::congestion
