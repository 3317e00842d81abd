#include "node/embedded_node.h"

#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <boost/asio/post.hpp>
#include <condition_variable>
#include <future>
#include <mutex>
#include <thread>
#include <variant>

#include "node/config.h"
#include "node/daemon.h"
#include "node/log.h"

namespace tombolo::node {
namespace {

constexpr std::size_t kMaxPayload = 64 * 1024;
constexpr const char* kAgent = "embedded";

std::string_view NameOf(FailReason reason) {
  switch (reason) {
    case FailReason::kDeadline:
      return "deadline";
    case FailReason::kUnreachable:
      return "unreachable";
    case FailReason::kNoLinks:
      return "no_links";
    case FailReason::kUndialable:
      return "undialable";
    case FailReason::kRefused:
      return "refused";
    case FailReason::kOverload:
      return "overload";
    case FailReason::kLeft:
      return "left";
  }
  return "refused";
}

SendOutcome OutcomeOf(const Event& event) {
  if (const auto* failed = std::get_if<Failed>(&event)) return {false, 0, NameOf(failed->reason)};
  if (const auto* done = std::get_if<Delivered>(&event)) return {true, done->hops, {}};
  return {true, 0, {}};
}

std::string_view ReasonOf(const absl::Status& refused) {
  return absl::IsResourceExhausted(refused) ? "overload" : "left";
}

// What callers take for "no limit" would not fit into a Duration.
constexpr std::chrono::hours kLongest{24};

Duration SpanOf(std::chrono::milliseconds span) {
  const auto cut =
      std::clamp<std::chrono::milliseconds>(span, std::chrono::milliseconds{0}, kLongest);
  return Duration::Milliseconds(cut.count());
}

// Calls back exactly once: with an answer, or at its end, when nobody has given one, with
// `without`. The strand may end with calls posted to it that never run.
template <class Result>
class Promise {
 public:
  Promise(std::function<void(const Result&)> done, Result without)
      : done_(std::move(done)), without_(std::move(without)) {}
  Promise(const Promise&) = delete;
  Promise& operator=(const Promise&) = delete;
  ~Promise() { Keep(without_); }

  void Keep(const Result& result) {
    if (const auto done = std::exchange(done_, nullptr)) done(result);
  }

 private:
  std::function<void(const Result&)> done_;
  const Result without_;
};

template <class Result>
std::shared_ptr<Promise<Result>> MakePromise(std::function<void(const Result&)> done,
                                             Result without) {
  return std::make_shared<Promise<Result>>(std::move(done), std::move(without));
}
std::shared_ptr<Promise<SendOutcome>> MakePromise(EmbeddedNode::OnSent done) {
  return MakePromise<SendOutcome>(std::move(done), {false, 0, "left"});
}

absl::Status Set(NodeConfig& config, const std::string& name,
                 const std::vector<std::string>& values) {
  const auto keys = ConfigKeys();
  const auto key =
      std::ranges::find_if(keys, [&](const ConfigKey& known) { return known.name() == name; });
  if (key == keys.end() || name.starts_with("control.") || name.starts_with("http.")) {
    return absl::InvalidArgumentError("settings: there is no '" + name + "' of embedded nodes");
  }
  return SetConfig(*key, values, name, config);
}

absl::StatusOr<NodeConfig> MakeConfig(const EmbeddedOptions& options) {
  NodeConfig config;
  absl::Status good = Set(config, "node.data_dir", {options.data_dir});
  good.Update(Set(config, "links.listen", {options.listen}));
  good.Update(Set(config, "links.advertise", options.advertise));
  good.Update(Set(config, "links.bootstrap", options.bootstrap));
  for (const auto& [name, value] : options.settings) good.Update(Set(config, name, {value}));
  if (!good.ok()) return good;
  config.control = "off";
  config.http = "off";
  return config;
}

}  // namespace

class EmbeddedNode::Impl {
 public:
  Impl(EmbeddedOptions options, std::unique_ptr<Daemon> daemon)
      : options_(std::move(options)), daemon_(std::move(daemon)) {
    Application& application = daemon_->application();
    id_ = application.host().self().id;
    listening_ = daemon_->listening();
    joined_ = application.host().core().state() == PeerState::kJoined;
    application.Listen([this](const Event& event, const std::string& payload) {
      std::visit([&](const auto& body) { Hear(body, payload); }, event);
    });
    thread_ = std::thread([this] { Run(); });
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() { Stop(); }

  const NodeId& id() const { return id_; }
  const std::string& listening() const { return listening_; }
  Application& application() { return daemon_->application(); }
  Host& host() { return application().host(); }

  // What comes too late is destroyed without having run, which keeps its promises.
  void Post(std::function<void()> work) {
    const std::lock_guard lock(mutex_);
    if (!ended_) boost::asio::post(daemon_->strand(), std::move(work));
  }

  void Stop() {
    const std::lock_guard once(stopping_);
    if (!thread_.joinable()) return;
    Post([this] { daemon_->Drain(); });
    thread_.join();
  }

  bool WaitJoined(std::chrono::milliseconds limit) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::milliseconds(SpanOf(limit).us / 1000),
                      [this] { return joined_ || ended_; });
    return joined_ && !ended_;
  }

  // Asks the overlay; `fill` makes the result of the event that ends it.
  template <class Result, class Fill>
  void Ask(Command command, std::string payload, std::shared_ptr<Promise<Result>> promise,
           Fill fill) {
    Post([this, command, payload = std::move(payload), promise, fill]() mutable {
      const absl::Status asked =
          application().Ask(command, std::move(payload),
                            [promise, fill](const Event& event, const std::string& bytes) {
                              promise->Keep(fill(event, bytes));
                            });
      if (asked.ok()) return;
      if constexpr (std::is_same_v<Result, SendOutcome>) {
        promise->Keep({false, 0, ReasonOf(asked)});
      }
    });
  }

 private:
  void Run() {
    daemon_->Run();
    {
      const std::lock_guard lock(mutex_);
      ended_ = true;
    }
    changed_.notify_all();
    daemon_.reset();
  }

  const NodeId& IdOf(PeerRef peer) { return host().known().ids().id(peer); }

  void Hear(const Joined&, const std::string&) {
    const std::lock_guard lock(mutex_);
    joined_ = true;
    changed_.notify_all();
  }
  void Hear(const MessageArrived& event, const std::string& payload) {
    if (options_.on_message) options_.on_message({event.origin, payload, event.hops, 0});
  }
  void Hear(const BroadcastArrived& event, const std::string& payload) {
    if (!options_.on_broadcast) return;
    options_.on_broadcast({event.origin, payload, event.hops, event.topic});
  }
  void Hear(const PeerUp& event, const std::string&) {
    if (options_.on_peer) options_.on_peer(IdOf(event.peer));
  }
  void Hear(const PeerLost& event, const std::string&) {
    if (options_.on_peer_lost) options_.on_peer_lost(IdOf(event.peer));
  }
  template <class Other>
  void Hear(const Other&, const std::string&) {}

  const EmbeddedOptions options_;
  std::mutex mutex_;  // of these, and of posting
  std::condition_variable changed_;
  bool joined_ = false;
  bool ended_ = false;
  std::unique_ptr<Daemon> daemon_;  // of the thread; goes when that ends
  NodeId id_;
  std::string listening_;
  std::mutex stopping_;  // of who ends and joins the thread
  std::thread thread_;
};

absl::StatusOr<std::unique_ptr<EmbeddedNode>> EmbeddedNode::Start(EmbeddedOptions options) {
  if (!options.log_level.empty()) {
    if (!IsLogLevel(options.log_level)) return absl::InvalidArgumentError("log_level: unknown");
    SetUpLog(options.log_level);
  }
  absl::StatusOr<NodeConfig> config = MakeConfig(options);
  if (!config.ok()) return config.status();
  absl::StatusOr<std::unique_ptr<Daemon>> daemon = Daemon::Make(*config, kAgent);
  if (!daemon.ok()) return daemon.status();
  if (absl::Status started = (*daemon)->Start(); !started.ok()) return started;
  return std::unique_ptr<EmbeddedNode>(
      new EmbeddedNode(std::make_unique<Impl>(std::move(options), *std::move(daemon))));
}

EmbeddedNode::EmbeddedNode(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
EmbeddedNode::~EmbeddedNode() = default;
void EmbeddedNode::Stop() { impl_->Stop(); }
const NodeId& EmbeddedNode::id() const { return impl_->id(); }
const std::string& EmbeddedNode::listening() const { return impl_->listening(); }

bool EmbeddedNode::WaitJoined(std::chrono::milliseconds limit) const {
  return impl_->WaitJoined(limit);
}

std::size_t EmbeddedNode::contacts() const {
  std::promise<std::size_t> told;
  auto promise = MakePromise<std::size_t>(
      [&told](const std::size_t& count) { told.set_value(count); }, std::size_t{0});
  std::future<std::size_t> count = told.get_future();
  impl_->Post([impl = impl_.get(), promise = std::move(promise)] {
    promise->Keep(impl->host().core().table().live_count());
  });
  return count.get();
}

void EmbeddedNode::Send(const NodeId& target, std::string payload, OnSent done,
                        std::chrono::milliseconds deadline) {
  const auto promise = MakePromise(std::move(done));
  if (payload.size() > kMaxPayload) return promise->Keep({false, 0, "too_large"});
  tombolo::Send send;
  send.target = target;
  send.deadline = SpanOf(deadline);
  impl_->Ask(send, std::move(payload), promise,
             [](const Event& event, const std::string&) { return OutcomeOf(event); });
}

void EmbeddedNode::Broadcast(std::string payload, std::uint64_t topic, OnSent done) {
  const auto promise = MakePromise(std::move(done));
  if (payload.size() > kMaxPayload) return promise->Keep({false, 0, "too_large"});
  impl_->Post([impl = impl_.get(), payload = std::move(payload), topic, promise]() mutable {
    tombolo::Broadcast broadcast;
    broadcast.topic = topic;
    broadcast.ttl = impl->host().config().gossip.max_ttl;
    const auto tried = impl->application().Try(broadcast, std::move(payload));
    if (!tried.ok()) return promise->Keep({false, 0, ReasonOf(tried.status())});
    promise->Keep(*tried ? OutcomeOf(**tried) : SendOutcome{true, 0, ""});
  });
}

void EmbeddedNode::Subscribe(std::uint64_t topic) {
  impl_->Post([impl = impl_.get(), topic] { impl->application().Subscribe(topic); });
}

void EmbeddedNode::Unsubscribe(std::uint64_t topic) {
  impl_->Post([impl = impl_.get(), topic] { impl->application().Unsubscribe(topic); });
}

void EmbeddedNode::Connect(const NodeId& target, OnSent done) {
  impl_->Ask(tombolo::Connect{0, target}, {}, MakePromise(std::move(done)),
             [](const Event& event, const std::string&) { return OutcomeOf(event); });
}

void EmbeddedNode::Put(const NodeId& key, std::string value, std::uint64_t sequence,
                       std::chrono::seconds ttl, std::function<void(int stored)> done) {
  const auto promise = MakePromise<int>(
      [done = std::move(done)](const int& stored) {
        if (done) done(stored);
      },
      0);
  if (value.size() > kMaxPayload) return promise->Keep(0);
  tombolo::Put put;
  put.key = key;
  put.sequence = sequence;
  put.ttl = SpanOf(std::min<std::chrono::seconds>(ttl, kLongest));
  impl_->Ask(put, std::move(value), promise, [](const Event& event, const std::string&) {
    const auto* stored = std::get_if<PutDone>(&event);
    return stored == nullptr ? 0 : int{stored->stored};
  });
}

void EmbeddedNode::Get(const NodeId& key, std::function<void(const FoundValue&)> done) {
  impl_->Ask(tombolo::Get{0, key}, {}, MakePromise<FoundValue>(std::move(done), {}),
             [](const Event& event, const std::string& value) {
               const auto* got = std::get_if<GetDone>(&event);
               if (got == nullptr || !got->found) return FoundValue{};
               return FoundValue{true, value, got->record.sequence};
             });
}

void EmbeddedNode::Lookup(const NodeId& place,
                          std::function<void(const std::vector<NodeId>&)> done) {
  impl_->Ask(tombolo::Lookup{0, place}, {}, MakePromise<std::vector<NodeId>>(std::move(done), {}),
             [impl = impl_.get()](const Event& event, const std::string&) {
               std::vector<NodeId> closest;
               const auto* found = std::get_if<LookupDone>(&event);
               if (found == nullptr) return closest;
               for (const PeerRef peer : impl->host().list(found->closest)) {
                 closest.push_back(impl->host().known().ids().id(peer));
               }
               return closest;
             });
}

NodeId EmbeddedNode::KeyOf(std::string_view name) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(name.data()), name.size(), digest.data());
  NodeId key;
  for (std::size_t i = 0; i < 4 * key.words.size(); ++i) {
    key.words[i / 4] = (key.words[i / 4] << 8) | digest[i];
  }
  return key;
}

}  // namespace tombolo::node
