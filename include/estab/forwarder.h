// Forwarder: what comes by an interface for other hosts, in the hands of coroutines.
//
//   estab::Task<> serve(estab::Host& host, estab::Forwarder forwarder) {
//     while (auto offer = co_await forwarder.next()) host.spawn(carry(host, std::move(*offer)));
//   }
//   estab::Task<> carry(estab::Host& host, estab::Offer offer) {
//     auto upstream = co_await dial(offer.destination());
//     if (!upstream) co_return offer.reject(estab::Refusal::reset);
//     auto guest = co_await std::move(offer).accept();
//     ...
//   }
//
// Streams that were accepted live on when it is closed. All of it belongs to the thread of its
// Host, which must outlive it.
#pragma once

#include <optional>
#include <utility>

#include "estab/address.h"
#include "estab/config.h"
#include "estab/error.h"
#include "estab/event.h"
#include "estab/forward.h"
#include "estab/id.h"
#include "estab/octets.h"
#include "estab/opening_operation.h"
#include "estab/operation.h"
#include "estab/stack.h"

namespace estab {

/// Answers a held SYN and waits until the guest has acknowledged the answer. Fails as
/// Stack::accept, or with what became of the guest.
class AcceptOfferOperation final : public OpeningOperation {
 public:
  AcceptOfferOperation(host::Loop* loop, OfferId offer, std::optional<TcpConfig> tcp)
      : OpeningOperation(loop), offer_(offer), tcp_(std::move(tcp)) {}

 private:
  Result<StreamId> open(Instant now) override;
  OfferId offer_;
  std::optional<TcpConfig> tcp_;
};

/// A guest's SYN, which waits for an answer. Destroying one that is not decided resets the guest.
class [[nodiscard]] Offer {
 public:
  Offer() = default;
  Offer(host::Loop& loop, const OfferEvent& event) : loop_(&loop), event_(event) {}
  Offer(Offer&& other) noexcept
      : loop_(std::exchange(other.loop_, nullptr)), event_(other.event_) {}
  Offer& operator=(Offer&& other) noexcept {
    if (this == &other) return *this;
    reject(Refusal::reset);
    loop_ = std::exchange(other.loop_, nullptr);
    event_ = other.event_;
    return *this;
  }
  ~Offer() { reject(Refusal::reset); }

  OfferId id() const { return event_.offer; }
  /// Who opens, and to whom.
  Endpoint source() const { return event_.endpoints.remote(); }
  Endpoint destination() const { return event_.endpoints.local(); }
  InterfaceId interface() const { return event_.interface; }
  /// False once it has been decided, or the guest has given up.
  bool is_waiting() const;

  AcceptOfferOperation accept(std::optional<TcpConfig> tcp = std::nullopt) &&;
  void reject(Refusal refusal);

 private:
  host::Loop* loop_ = nullptr;
  OfferEvent event_{};
};

class NextOfferOperation final : public Operation<Result<Offer>> {
 public:
  NextOfferOperation(host::Loop* loop, InterfaceId interface)
      : Operation(loop), interface_(interface) {}

 private:
  bool attempt(Instant now) override;
  Wait** place() override;
  InterfaceId interface_;
};

class ReceiveFlowOperation final : public Operation<Result<ReceivedDatagram>> {
 public:
  ReceiveFlowOperation(host::Loop* loop, DatagramFlowId flow, MutableOctets into)
      : Operation(loop), flow_(flow), into_(into) {}

 private:
  bool attempt(Instant now) override;
  Wait** place() override;
  DatagramFlowId flow_;
  MutableOctets into_;
};

/// Datagrams of one port of a guest's to other hosts. Destroying it ends the flow; the next
/// datagram from there begins another.
class [[nodiscard]] DatagramFlow {
 public:
  DatagramFlow() = default;
  DatagramFlow(host::Loop& loop, const DatagramFlowEvent& event) : loop_(&loop), event_(event) {}
  DatagramFlow(DatagramFlow&& other) noexcept
      : loop_(std::exchange(other.loop_, nullptr)), event_(other.event_) {}
  DatagramFlow& operator=(DatagramFlow&& other) noexcept {
    if (this == &other) return *this;
    close();
    loop_ = std::exchange(other.loop_, nullptr);
    event_ = other.event_;
    return *this;
  }
  ~DatagramFlow() { close(); }

  DatagramFlowId id() const { return event_.flow; }
  Endpoint source() const { return event_.source; }
  InterfaceId interface() const { return event_.interface; }

  /// Waits for the guest's next datagram; `to` says whom it means. Error::timed_out when nothing
  /// has gone either way for StackConfig::datagram_flow_timeout. One coroutine at a time.
  ReceiveFlowOperation recv(MutableOctets into);
  /// To the guest, in the name of `from`; never waits.
  Result<void> send(Octets octets, const Endpoint& from);
  /// Tells the guest what has become of its datagrams to `destination`.
  Result<void> reject(const Endpoint& destination, Refusal refusal);
  void close();

 private:
  host::Loop* loop_ = nullptr;
  DatagramFlowEvent event_{};
};

class NextFlowOperation final : public Operation<Result<DatagramFlow>> {
 public:
  NextFlowOperation(host::Loop* loop, InterfaceId interface)
      : Operation(loop), interface_(interface) {}

 private:
  bool attempt(Instant now) override;
  Wait** place() override;
  InterfaceId interface_;
};

class [[nodiscard]] Forwarder {
 public:
  /// Forwards nothing: next() gives Error::no_such_id.
  Forwarder() = default;
  Forwarder(host::Loop& loop, InterfaceId interface) : loop_(&loop), interface_(interface) {}
  Forwarder(Forwarder&& other) noexcept
      : loop_(std::exchange(other.loop_, nullptr)),
        interface_(std::exchange(other.interface_, {})) {}
  Forwarder& operator=(Forwarder&& other) noexcept {
    if (this == &other) return *this;
    close();
    loop_ = std::exchange(other.loop_, nullptr);
    interface_ = std::exchange(other.interface_, {});
    return *this;
  }
  /// close().
  ~Forwarder() { close(); }

  explicit operator bool() const { return static_cast<bool>(interface_); }
  InterfaceId interface() const { return interface_; }

  /// Waits for the next opening. One coroutine at a time. Error::connection_aborted when the
  /// forwarder is closed.
  NextOfferOperation next();
  /// The same for the next flow of datagrams.
  NextFlowOperation next_flow();
  /// Forwards no more; openings that next() has not given out are reset, and flows that next_flow()
  /// has not given out end.
  void close();

 private:
  host::Loop* loop_ = nullptr;
  InterfaceId interface_;
};

}  // namespace estab
