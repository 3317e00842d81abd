// The channels of a node: streams of bytes to and from services of other nodes, both ways, in
// order, each held back by whoever reads at its other end.
//
//   const auto channel = table.Open(remote, "control", listener);   // there: Accept("control",
//   ...) table.Write(*channel, "hello");                                // and listener.OnWritable
//   table.Consume(*channel, bytes.size());                         // of what OnData has brought
//   table.Finish(*channel);                                        // half-close; or Reset
//
// One protocol for both ways between two nodes, the link and the relay: a segment
// (proto/link.proto) carries data at an offset, what has come (`acked`) and what may come
// (`limit`), so that it may get lost, repeated or overtaken. Changing from one way to the other
// sends again whatever is not acknowledged. What is lost on the relayed way is noticed by segments
// held behind it, or by time (channel_path.h), and sent again. The opener names the service until
// it has been answered; data may follow at once, up to kFirstWindow. Each side remembers for a
// minute that a channel is over, so that late segments do not open it anew.
//
// A channel is asked for a sign of life when it was quiet for a quarter of `silence`, and reset
// with kTimeout after `silence` without one, whatever it waits for: nothing hangs. A reader that
// does not read is no dead one: it holds the writer back for as long as it likes.
//
// Not protected: who relays a channel may read, delay and change it, as all relayed messages. Over
// a link nobody may. The number of a channel is random: those who do not relay it cannot guess it.
//
// Bounds: channel_options.h, each with a counter. A channel holds its window twice at most, once
// for each direction, and the sum of all is limited; what is on its way is held once more by the
// transport or the core, within the window of the path. kMaxHeld segments wait behind a gap.
//
// Thread rule: the strand of the node. Listeners are called from within Receive, Tick, Flush and
// ResetAll only, never while the table is at work on a channel: they may call anything here.
// Ownership: a listener is borrowed until its OnReset or OnClosed, or until Reset. Calls with the
// number of a channel that is over do nothing.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "link.pb.h"
#include "node/channel_options.h"
#include "node/channel_path.h"
#include "node/channel_receiver.h"
#include "node/channel_sender.h"
#include "overlay/node_id.h"
#include "overlay/rng.h"
#include "overlay/time.h"

namespace tombolo::node {

using Segment = link::v1::Segment;

// Names a channel at this node; never used twice.
enum class ChannelNumber : std::uint64_t {};

class ChannelListener {
 public:
  // The other node has accepted a channel that was opened here.
  virtual void OnAccepted(ChannelNumber) {}
  // To be answered by Consume, at once or later.
  virtual void OnData(ChannelNumber channel, std::string bytes) = 0;
  // The other end has finished; this one may go on.
  virtual void OnEnd(ChannelNumber channel) = 0;
  // There is room again, after a Write that found too little.
  virtual void OnWritable(ChannelNumber channel) = 0;
  // The last of a channel is one of these; OnClosed comes once all data is consumed. `text` is the
  // other side's: any bytes, 128 at most.
  virtual void OnReset(ChannelNumber channel, ResetReason reason, const std::string& text) = 0;
  virtual void OnClosed(ChannelNumber channel) = 0;

 protected:
  ~ChannelListener() = default;
};

// How segments leave. They may get lost.
class ChannelCarrier {
 public:
  virtual bool IsLinked(const NodeId& remote) const = 0;
  virtual void CarryOverLink(const NodeId& remote, Segment segment) = 0;
  virtual void CarryRelayed(const NodeId& remote, const Segment& segment) = 0;
  // Flush is wanted at the end of this turn.
  virtual void WantFlush() = 0;

 protected:
  ~ChannelCarrier() = default;
};

class ChannelTable {
 public:
  using Counters = std::array<std::uint64_t, kChannelCounts>;
  // Who listens to a channel that `remote` has opened; null refuses it.
  using Acceptor = std::function<ChannelListener*(ChannelNumber, const NodeId& remote)>;

  static constexpr std::size_t kMaxClosed = 4096;  // remembered; then the oldest are not
  static constexpr Duration kRememberClosed = Duration::Minutes(1);

  ChannelTable(const ChannelOptions& options, const NodeId& self, ChannelCarrier& carrier,
               std::uint64_t seed);
  ChannelTable(const ChannelTable&) = delete;
  ChannelTable& operator=(const ChannelTable&) = delete;

  // ---- The application.

  // OnAccepted or OnReset tells what became of it. ResourceExhausted at a limit.
  absl::StatusOr<ChannelNumber> Open(const NodeId& remote, const std::string& service,
                                     ChannelListener& listener);
  // From now on, until Withdraw. AlreadyExists if somebody else does.
  absl::Status Accept(const std::string& service, Acceptor acceptor);
  void Withdraw(const std::string& service) { acceptors_.erase(service); }
  // Takes as many bytes from the front as there is room for; OnWritable follows if not all.
  std::size_t Write(ChannelNumber number, std::string_view bytes);
  // So many more of the bytes that OnData has brought have been dealt with.
  void Consume(ChannelNumber number, std::size_t bytes);
  // Half-close: nothing more will be written.
  void Finish(ChannelNumber number);
  // The channel is over here; the listener hears nothing more.
  void Reset(ChannelNumber number, std::string_view text = {},
             ResetReason reason = ResetReason::kCancelled);
  // Of max_memory in the options, from now on; channels keep what they have.
  void SetMaxMemory(std::size_t bytes) { options_.max_memory = bytes; }
  // Ends all channels and refuses new ones; listeners are told.
  void ResetAll(ResetReason reason);

  // ---- The wire. Both ends of a node's own channel cannot be this node.

  void Receive(const NodeId& from, Segment& segment, Time now);
  // The link to a node has come, has changed or has gone.
  void PathChanged(const NodeId& remote, bool linked, Time now);
  // Hands what is due to the carrier.
  void Flush(Time now);

  void Tick(Time now);
  Time next_deadline() const { return timers_.empty() ? kNever : timers_.begin()->first; }

  // ---- Observation.

  std::size_t size() const { return channels_.size(); }
  std::size_t memory() const { return memory_; }  // the sum of all windows
  std::uint64_t count(ChannelCount which) const {
    return counters_[static_cast<std::size_t>(which)];
  }
  const Counters& counters() const { return counters_; }

 private:
  using Key = std::pair<NodeId, std::uint64_t>;  // the other node, and the number on the wire

  struct Channel {
    ChannelNumber number{};
    Key key;
    ChannelListener* listener = nullptr;
    std::string service;  // that is still to be named
    ChannelSender out;
    ChannelReceiver in;
    bool dirty = false;
    bool speak = false;         // a segment is due, with data or without
    bool ask = false;           // and wants an answer
    bool repair = false;        // the first segment that is missing goes again
    bool waits = false;         // for the path
    bool wants_room = false;    // OnWritable is awaited
    bool detached = false;      // over on the wire; its application has not dealt with all
    bool end_told = false;      // OnEnd
    std::uint64_t recover = 0;  // losses up to here have been seen to
    std::size_t counted = 0;    // in flight, as the path knows
    int retries = 0;            // without an answer
    Time retry_at = kNever;
    Time ask_at = kNever;
    Time heard;
    Time timer = kNever;  // its entry among the timers
    // Being timed: acknowledged up to here, it has made a round trip.
    std::uint64_t timed_end = 0;
    Time timed_at = kNever;

    const NodeId& remote() const { return key.first; }
  };

  struct Remote {
    ChannelPath path;
    std::set<ChannelNumber> channels;
    std::deque<ChannelNumber> waiting;  // for the path, the first first; perhaps over by now
  };

  enum class Tell : std::uint8_t { kAccepted, kData, kEnd, kWritable, kReset, kClosed };

  struct News {
    ChannelNumber number;
    ChannelListener* listener;
    Tell what;
    std::string bytes;  // data, or the text of a reset
    ResetReason reason = ResetReason::kUnspecified;
  };

  struct Closed {
    std::uint64_t acked;
    std::optional<ResetReason> reset;
  };

  // channel_table.cc: channels and their ends.
  void Count(ChannelCount which, std::uint64_t number = 1) {
    counters_[static_cast<std::size_t>(which)] += number;
  }
  Channel* Find(ChannelNumber number);
  Remote& RemoteOf(const Channel& channel) { return remotes_.find(channel.remote())->second; }
  bool HasRoom(const NodeId& remote) const;
  std::size_t Grown(std::size_t window) const;
  bool MayGrow(std::size_t window);
  Channel& Add(const Key& key);
  void Touch(Channel& channel);
  void Report(Channel& channel, Tell what, std::string bytes = {},
              ResetReason reason = ResetReason::kUnspecified);
  void TellAll();
  void ResetHere(Channel& channel, ResetReason reason, std::string_view text);
  void Detach(Channel& channel, const Closed& closed);
  void Remove(Channel& channel);
  void Forget();

  // channel_table_receive.cc: what comes.
  void OnStray(const Key& key, const Segment& segment);
  void OnOpen(const Key& key, Segment& segment);
  void OnSegment(Channel& channel, Segment& segment);
  bool OnAcknowledged(Channel& channel, const Segment& segment);
  bool OnData(Channel& channel, Segment& segment);
  void Answer(const Key& key, const Closed& closed);

  // channel_table_send.cc: what goes, and when.
  bool SendOne(Channel& channel);
  void CloseIfConsumed(Channel& channel);
  std::optional<ChannelSender::Piece> NextPiece(Channel& channel, Remote& remote);
  void Carry(bool linked, const NodeId& to, Segment&& segment);
  void CountFlight(Channel& channel, Remote& remote);
  void WakeWaiting(Remote& remote);
  void ArmRetry(Channel& channel, bool anew);
  void Arm(Channel& channel);
  void Expire(Channel& channel);
  void Retry(Channel& channel);
  bool NeedsRetry(const Channel& channel) const;

  ChannelOptions options_;
  const NodeId self_;
  ChannelCarrier& carrier_;
  Rng rng_;
  Time now_;
  bool closing_ = false;
  bool telling_ = false;
  std::uint64_t last_number_ = 0;
  std::size_t memory_ = 0;
  std::map<ChannelNumber, Channel> channels_;
  std::map<Key, ChannelNumber> numbers_;
  std::map<NodeId, Remote> remotes_;
  std::map<std::string, Acceptor> acceptors_;
  std::deque<ChannelNumber> dirty_;
  std::vector<std::pair<NodeId, Segment>> answers_;  // that belong to no channel
  std::set<std::pair<Time, ChannelNumber>> timers_;
  std::deque<News> news_;
  std::map<Key, Closed> closed_;
  std::deque<std::pair<Time, Key>> closed_order_;
  Counters counters_{};
};

}  // namespace tombolo::node
