// Peers among strangers that say and do anything: a deterministic fuzz of whole peers.
//
// A few real peers share a directory with strangers. Each step delivers, loses or repeats a message
// in flight, forges one (often an answer to something a peer has just said), gives a command,
// changes a link, or lets time pass. The host accounts for every share and list, and for every
// request. Asserts of the core count as failures.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "overlay/peer.h"
#include "tests/overlay/strangers.h"

namespace tombolo {
namespace {

constexpr std::uint32_t kPeers = 5;  // real ones; the other refs are strangers
constexpr std::size_t kRecent = 64;  // things said that forged answers may refer to

class FuzzHost : private Strangers {
 public:
  explicit FuzzHost(std::uint64_t seed) : Strangers(seed) {
    Configure();
    for (std::uint32_t i = 0; i < kPeers; ++i)
      peers_.emplace_back(PeerRef{i}, ids_.id(PeerRef{i}), seed + i);
  }

  void Run(int steps) {
    for (int i = 0; i < steps && !testing::Test::HasFailure(); ++i) RandomStep();
  }

  // Time passes until nobody waits for anything; then everybody leaves.
  void Finish() {
    while (!flights_.empty()) Land(flights_.size() - 1, false);
    for (int i = 0; i < 400; ++i) {
      now_ = now_ + Duration::Seconds(i < 300 ? 1 : 900);
      for (Peer& peer : peers_) TickAll(peer);
      while (!flights_.empty()) Land(flights_.size() - 1, false);
    }
    std::erase_if(open_, [](const auto& entry) { return entry.second.kind == Kind::kSilentSend; });
    EXPECT_EQ(open_.size(), 0U) << "a request that never ended";
    for (Peer& peer : peers_) {
      peer.Execute(Depart{}, StepNow());
      Settle(peer);
      EXPECT_EQ(peer.next_deadline(), kNever);
      EXPECT_EQ(peer.parts(), nullptr);
      EXPECT_EQ(peer.table().live_count(), 0U);
    }
    while (!flights_.empty()) Land(flights_.size() - 1, true);
    EXPECT_EQ(lists_.in_use(), 0U);
    for (std::size_t i = 0; i < shares_.size(); ++i) EXPECT_EQ(shares_[i], 0) << "payload " << i;
  }

 private:
  struct Flight {
    PeerRef from;
    PeerRef to;
    Message message;
  };
  enum class Kind : std::uint8_t { kLookup, kPut, kGet, kSend, kSilentSend, kConnect };
  struct Request {
    Kind kind;
    NodeId target;
  };

  Peer& AnyPeer() { return peers_[rng_.Below(kPeers)]; }
  Step StepNow() { return {now_, config_, ids_, lists_, out_}; }

  void Configure() {
    config_.table.k = OneOf({1, 2, 4, 20, 64});
    config_.table.replacements = OneOf({0, 1, 4});
    config_.table.group_max = OneOf({0, 0, 2});
    config_.table.policy = static_cast<BucketPolicy>(rng_.Below(3));
    config_.lookup.alpha = OneOf({1, 3, 8, 64});
    config_.lookup.backups = OneOf({0, 1, 8});
    config_.lookup.max_active = OneOf({1, 3, 64});
    config_.store.max_records = OneOf({0, 2, 1024});
    config_.store.max_value_bytes = 100;
    config_.store.quorum = OneOf({1, 3});
    config_.links.max_links = OneOf({0, 1, 3, 8, 128});
    config_.links.reserved = Pick(0, std::min(config_.links.max_links, 3));
    config_.links.neighbours = OneOf({0, 1, 8});
    config_.links.max_dialing = OneOf({1, 16});
    config_.relay.ttl = OneOf({1, 4, 64, 255});
    config_.relay.detours = OneOf({0, 1, 16, 255});
    config_.relay.tries = OneOf({1, 4, 16});
    config_.relay.max_pending = OneOf({1, 8, 4096});
    config_.relay.max_seen = OneOf({1, 16, 65'536});
    ASSERT_EQ(config_.Validate(), std::nullopt);
  }

  // ---- Steps.

  void RandomStep() {
    const std::uint32_t dice = rng_.Below(100);
    if (dice < 35 && !flights_.empty()) {
      Land(rng_.Below(static_cast<std::uint32_t>(flights_.size())), Odds(10));
    } else if (dice < 60) {
      Forge();
    } else if (dice < 75) {
      Command();
    } else if (dice < 88) {
      ChangeLink();
    } else {
      PassTime();
    }
  }

  // The message arrives, or not; sometimes it stays in flight to arrive once more.
  void Land(std::size_t index, bool lost) {
    const Flight flight = flights_[index];
    const bool again = !lost && flights_.size() < 100 && Odds(10);
    if (again) {
      Share(PayloadOf(flight.message), +1);
    } else {
      flights_[index] = flights_.back();
      flights_.pop_back();
    }
    if (lost || Index(flight.to) >= kPeers) {
      Share(PayloadOf(flight.message), -1);
    } else {
      Peer& peer = peers_[Index(flight.to)];
      peer.Receive(flight.from, flight.message, StepNow());
      Settle(peer);
    }
    if (!again) lists_.Release(ListOf(flight.message));
  }

  void Forge() {
    Flight forged{AnyRef(), PeerRef{rng_.Below(kPeers)}, {}};
    if (recent_.empty() || Odds(3)) {
      forged.message = AnyMessage();
    } else {
      const Flight& said = recent_[rng_.Below(static_cast<std::uint32_t>(recent_.size()))];
      forged = {Odds(8) ? AnyRef() : said.to, said.from, AnswerTo(said.message)};
    }
    Peer& peer = peers_[Index(forged.to)];
    peer.Receive(forged.from, forged.message, StepNow());
    Settle(peer);
    lists_.Release(ListOf(forged.message));
  }

  void Command() {
    Peer& peer = AnyPeer();
    const std::uint32_t request = next_request_++;
    const NodeId target = AnyId();
    const auto open = [&](Kind kind) { open_[{peer.self(), request}] = {kind, target}; };
    ListHandle list = ListHandle::kEmpty;
    tombolo::Command command = Disconnect{target};
    switch (rng_.Below(12)) {
      case 0:
      case 1:
        list = AnyList();
        command = Join{list};
        break;
      case 2:
        if (Odds(4)) command = Depart{};
        break;
      case 3:
      case 4:
        open(Kind::kLookup);
        command = Lookup{request, target};
        break;
      case 5:
        open(Kind::kPut);
        command = Put{request, target, NewPayload(), rng_.Below(4), AnyDuration()};
        break;
      case 6:
        open(Kind::kGet);
        command = Get{request, target};
        break;
      case 7:
        open(Kind::kConnect);
        command = Connect{request, target};
        break;
      case 8:
        break;
      default: {
        const bool receipt = !Odds(4);
        open(receipt ? Kind::kSend : Kind::kSilentSend);
        command = Send{request, target, NewPayload(), AnyDuration(), AnyByte(), receipt};
      }
    }
    peer.Execute(command, StepNow());
    Settle(peer);
    lists_.Release(list);
  }

  void ChangeLink() {
    Peer& peer = AnyPeer();
    const PeerRef other = AnyRef();
    if (Odds(2)) {
      peer.LinkUp(other, {.outbound = Odds(2), .dialable = ids_.dialable(other)}, StepNow());
    } else if (Odds(2)) {
      peer.LinkDown(other, static_cast<LinkDownReason>(rng_.Below(4)), StepNow());
    } else {
      peer.LinkPressureChanged(other, static_cast<LinkPressure>(rng_.Below(2)), StepNow());
    }
    Settle(peer);
  }

  void PassTime() {
    Time next = now_ + Duration::Milliseconds(Pick(0, 3000));
    if (Odds(200)) next = next + Duration::Minutes(Pick(1, 90));
    for (const Peer& peer : peers_) {
      if (Odds(2)) next = std::clamp(peer.next_deadline(), now_, next);
    }
    now_ = next;
    for (Peer& peer : peers_) TickAll(peer);
  }

  // A peer may have to be called more than once for one moment, but not for ever.
  void TickAll(Peer& peer) {
    int calls = 0;
    while (peer.next_deadline() <= now_ && ++calls < 10) {
      peer.Tick(StepNow());
      Settle(peer);
    }
    EXPECT_LT(calls, 10) << "a timer that does not go away";
  }

  // ---- The duties of a host.

  void Settle(Peer& peer) {
    for (const OutgoingMessage& sent : out_.sends()) Carry({peer.self(), sent.to, sent.message});
    const std::vector<PeerRef> dials(out_.dials().begin(), out_.dials().end());
    const std::vector<OutgoingHangup> hangups(out_.hangups().begin(), out_.hangups().end());
    for (const Payload& payload : out_.shares()) Share(payload, +1);
    for (const Event& event : out_.events()) Tell(peer.self(), event);
    for (const Payload& payload : out_.releases()) Share(payload, -1);
    out_.Clear();
    CheckBounds(peer);
    for (const OutgoingHangup& hangup : hangups) {
      peer.LinkDown(hangup.peer, LinkDownReason::kHungUp, StepNow());
      Settle(peer);
    }
    for (const PeerRef to : dials) {
      EXPECT_TRUE(ids_.dialable(to));
      if (Odds(3)) {
        peer.LinkDown(to, LinkDownReason::kDialFailed, StepNow());
      } else {
        peer.LinkUp(to, {.outbound = true, .dialable = true}, StepNow());
      }
      Settle(peer);
    }
  }

  void Carry(const Flight& flight) {
    EXPECT_NE(flight.from, flight.to);
    recent_.push_back(flight);
    if (recent_.size() > kRecent) recent_.erase(recent_.begin());
    Share(PayloadOf(flight.message), +1);
    flights_.push_back(flight);
    while (flights_.size() > 300) Land(0, true);
  }

  void Tell(PeerRef peer, const Event& event) {
    if (const auto* done = std::get_if<LookupDone>(&event)) {
      EXPECT_LE(lists_.Get(done->closest).size(), static_cast<std::size_t>(config_.table.k));
      lists_.Release(done->closest);
      End(peer, done->request, {Kind::kLookup});
    } else if (const auto* put = std::get_if<PutDone>(&event)) {
      End(peer, put->request, {Kind::kPut});
    } else if (const auto* get = std::get_if<GetDone>(&event)) {
      if (get->found) Share(get->record.payload, -1);
      End(peer, get->request, {Kind::kGet});
    } else if (const auto* delivered = std::get_if<Delivered>(&event)) {
      End(peer, delivered->request, {Kind::kSend});
    } else if (const auto* failed = std::get_if<Failed>(&event)) {
      End(peer, failed->request, {Kind::kSend, Kind::kSilentSend, Kind::kConnect});
    } else if (const auto* arrived = std::get_if<MessageArrived>(&event)) {
      Share(arrived->payload, -1);
    } else if (const auto* up = std::get_if<PeerUp>(&event)) {
      std::erase_if(open_, [&](const auto& entry) {
        return entry.first.first == peer && entry.second.kind == Kind::kConnect &&
               entry.second.target == ids_.id(up->peer);
      });
    }
  }

  void End(PeerRef peer, std::uint32_t request, std::initializer_list<Kind> kinds) {
    const auto found = open_.find({peer, request});
    ASSERT_NE(found, open_.end()) << "request " << request << " ended twice, or never began";
    EXPECT_NE(std::find(kinds.begin(), kinds.end(), found->second.kind), kinds.end());
    open_.erase(found);
  }

  void CheckBounds(const Peer& peer) const {
    const PeerParts* parts = peer.parts();
    if (parts == nullptr) return;
    const auto at_most = [](std::size_t value, int limit) {
      EXPECT_LE(value, static_cast<std::size_t>(limit));
    };
    at_most(parts->lookups.active(), config_.lookup.max_active);
    at_most(parts->pings.size(), 32);
    if (parts->records) at_most(parts->records->size(), config_.store.max_records);
    if (parts->put_get) {
      at_most(parts->put_get->commands(), PutGet::kMaxCommands);
      at_most(parts->put_get->published().size(), config_.store.max_records);
    }
    if (!parts->relaying) return;
    at_most(parts->relaying->relay.pending_hops(), config_.relay.max_pending);
    at_most(parts->relaying->relay.pending_sends(), config_.relay.max_pending);
    at_most(parts->relaying->relay.remembered(), config_.relay.max_seen);
    at_most(parts->relaying->links.rows().size(), config_.links.max_links);
    at_most(parts->relaying->links.dialing().size(), config_.links.max_dialing);
    at_most(parts->relaying->neighbours.all().size(), 2 * config_.links.neighbours);
    at_most(parts->relaying->requests.size(), LinkRequests::kMaxRequests);
  }

  Config config_;
  Outbox out_;
  Time now_;
  std::vector<Peer> peers_;
  std::vector<Flight> flights_;
  std::vector<Flight> recent_;
  std::map<std::pair<PeerRef, std::uint32_t>, Request> open_;
  std::uint32_t next_request_ = 1;
};

TEST(PeerFuzz, NoLiesNoStormsAndNoTimingBreakAPeer) {
  for (std::uint64_t seed = 1; seed <= 150 && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    FuzzHost host(seed);
    host.Run(1200);
    host.Finish();
  }
}

}  // namespace
}  // namespace tombolo
