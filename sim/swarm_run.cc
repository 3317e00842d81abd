#include "sim/swarm_run.h"

#include <algorithm>
#include <deque>
#include <optional>
#include <utility>

#include "overlay/message.h"
#include "sim/checkers_budget.h"
#include "sim/checkers_routes.h"
#include "sim/swarm_acts.h"
#include "sim/swarm_draw.h"
#include "sim/swarm_liveness.h"
#include "sim/swarm_safety.h"
#include "sim/world.h"

namespace tombolo::sim {
namespace {

constexpr std::size_t kLogLimit = 1U << 20;  // of events and messages between two looks
constexpr std::uint64_t kSliceEvents = 2048;
constexpr Duration kLook = Duration::Seconds(1);
constexpr Duration kPoll = Duration::Seconds(2);  // between two looks for convergence
// That a converged world stays so: longer than a lease.
constexpr Duration kCalm = Duration::Seconds(40);
// What upkeep takes in one network rather than in its islands, apart from comparing broadcasts, of
// which only one island had any: tables of links are full that were not, and full ones turn away.
// Two peers at odds for ever send a hundred times as much.
constexpr int kGrowth = 3;
constexpr Duration kLastWords = Duration::Minutes(75);  // nothing is longer in flight
constexpr std::uint64_t kExerciseStream = 0x65786572;
constexpr std::uint32_t kKeys = 8;            // that puts and gets share
constexpr std::uint32_t kWatchedPairs = 200;  // that have to stay reachable while islands merge

// What is told of a run, if a story is wanted.
struct Story {
  PeerRef offender = PeerRef::kNone;
  std::size_t lines = 0;
  std::deque<std::string> steps;
  std::deque<std::string> messages;
};

void Keep(std::deque<std::string>& lines, std::size_t limit, std::string line) {
  lines.push_back(std::move(line));
  if (lines.size() > limit) lines.pop_front();
}

std::string TimeText(Time at) { return std::to_string(at.us / 1000) + " ms"; }

std::string PeerText(PeerRef peer) {
  return peer == PeerRef::kNone ? "nobody" : "peer " + std::to_string(Index(peer));
}

Leniency LeniencyOf(const SwarmPlan& plan) {
  const FaultOptions& faults = plan.world.faults;
  Leniency leniency;
  leniency.slow = faults.delay > 0 || faults.pauses_per_s > 0 || faults.clogs_per_s > 0 ||
                  faults.slow_reader_share > 0;
  if (faults.pauses_per_s > 0) leniency.late = faults.pause;
  leniency.calm_from = plan.calm_from;
  return leniency;
}

class SwarmRun {
 public:
  SwarmRun(const SwarmPlan& plan, Story* story)
      : plan_(&plan), story_(story), world_(plan.world), ledger_(LeniencyOf(plan)) {
    world_.RecordEvents(kLogLimit);
    world_.message_log().SetLimit(kLogLimit);
  }

  SwarmOutcome Run() {
    Suffer() && Settle() && Converge() && StayCalm() && GoDown();
    outcome_.events = world_.metrics().events;
    outcome_.operations = ledger_.results().succeeded + ledger_.results().failed;
    outcome_.trace_hash = world_.trace_hash();
    outcome_.injected = world_.metrics().injected;
    outcome_.simulated = world_.now() - Time{};
    return std::move(outcome_);
  }

 private:
  // Every phase returns true if all is well.

  bool Broken(const std::optional<Violation>& violation) {
    if (violation) outcome_.violation = violation;
    return violation.has_value();
  }

  // The safety phase: the steps of the plan, at their times.
  bool Suffer() {
    for (const SwarmStep& step : plan_->steps) {
      if (!Advance(step.at)) return false;
      Perform(step);
    }
    return Advance(plan_->faults_end);
  }

  bool Advance(Time end) {
    while (world_.now() < end) {
      const Time look = std::min(end, world_.now() + kLook);
      for (bool done = false; !done;) {
        done = world_.RunSlice(look, kSliceEvents);
        if (!Look()) return false;
      }
      if (Broken(SafetyWatch::CheckBounds(world_))) return false;
    }
    return true;
  }

  bool Look() {
    if (story_ != nullptr) Tell();
    const bool broken = Broken(safety_.CheckMessages(world_)) || Broken(ledger_.Check(world_));
    world_.message_log().Clear();
    return !broken;
  }

  void Tell() {
    for (const LoggedMessage& logged : world_.message_log().messages()) {
      if (logged.from != story_->offender && logged.to != story_->offender) continue;
      Keep(story_->messages, story_->lines,
           TimeText(logged.at) + "  " + PeerText(logged.from) + " -> " + PeerText(logged.to) +
               "  " + std::string(kMessageNames[logged.message.index()]));
    }
  }

  PeerRef Live(std::uint32_t number) const {
    const std::span<const PeerRef> live = world_.oracle().live();
    return live.empty() ? PeerRef::kNone : live[number % live.size()];
  }

  NodeId Key(std::uint32_t number) const {
    Rng rng = Rng::Split(plan_->seed, number % kKeys);
    return RandomKey(rng);
  }

  void Perform(const SwarmStep& step) {
    const PeerRef who = Live(step.who);
    if (story_ != nullptr) {
      const auto kind = static_cast<std::size_t>(step.kind);
      Keep(story_->steps, story_->lines,
           TimeText(step.at) + "  " + std::string(kStepNames[kind]) + " " + PeerText(who));
    }
    if (step.kind == StepKind::kJoin) return world_.Join(world_.AddPeer());
    if (step.kind == StepKind::kHeal) return world_.Heal();
    if (world_.live_count() <= 2) return;  // somebody stays to talk to
    if (step.kind >= StepKind::kLookup) return Ask(step, who);
    switch (step.kind) {
      case StepKind::kCrash:
        return world_.Crash(who);
      case StepKind::kLeave:
        return world_.Leave(who);
      case StepKind::kCrashShare:
      case StepKind::kLeaveShare:
        return RemoveSome(world_, *plan_, step);
      case StepKind::kCut:
        if (who != Live(step.other)) world_.Cut(who, Live(step.other), true);
        return;
      case StepKind::kIsolate:
        return world_.Isolate(who);
      case StepKind::kSplit:
        return SplitIntoIslands(world_, *plan_, step);
      default:
        return;
    }
  }

  void Ask(const SwarmStep& step, PeerRef who) {
    switch (step.kind) {
      case StepKind::kLookup:
        return ledger_.Lookup(world_, who, Key(step.other));
      case StepKind::kSend:
        return SendBetween(who, Live(step.other), step.span);
      case StepKind::kPut:
        return ledger_.Put(world_, who, Key(step.other), step.span);
      case StepKind::kGet:
        return ledger_.Get(world_, who, Key(step.other));
      case StepKind::kBroadcast:
        return ledger_.Broadcast(world_, who, step.span);
      case StepKind::kAttach:
        return ledger_.Attach(world_, who, Key(step.other));
      case StepKind::kResolve:
        return ledger_.Resolve(world_, who, Key(step.other));
      case StepKind::kEnter:
      case StepKind::kExit:
        return EnterOrExit(world_, *plan_, step, Key(step.other));
      default:
        return;
    }
  }

  void SendBetween(PeerRef source, PeerRef target, Duration deadline) {
    if (source != target) ledger_.Send(world_, source, target, deadline);
  }

  // Waits for faults that have begun; then nothing is cut any more.
  bool Settle() {
    if (!Advance(plan_->calm_from)) return false;
    world_.Heal();
    ledger_.ComeToRest(world_.now());
    FindHomes(world_, ledger_);
    if (plan_->merge_alone) {
      const double compares =
          world_.live_count() / plan_->world.core.gossip.compare_interval.seconds();
      before_ = kGrowth * (TrafficSince(world_, {}) + compares);
      reach_.emplace(world_, kWatchedPairs);
    }
    outcome_.knowledge_lost = !IntroduceIslands(world_, plan_->bridges);
    return true;
  }

  // The liveness phase: what must become true becomes true in time. Lookups repair tables, so they
  // are tried in a copy of the world, which becomes the world once all is well.
  bool Converge() {
    const Duration limit =
        plan_->merge_alone ? MergeBound(plan_->world) : LivenessBound(plan_->world);
    const Time bound = plan_->calm_from + limit;
    // Where a merge loses messages nothing else is asked before that is over.
    const bool lossy = plan_->merge_alone && plan_->has(FaultClass::kDrop);
    const Time last = lossy ? bound + kExerciseDeadline : bound;
    for (;;) {
      std::optional<Violation> wrong = FirstWrong(world_, plan_->merge_alone);
      if (Broken(LateNews(wrong.has_value())) || Broken(Reachable())) return false;
      if (!wrong && !plan_->merge_alone) wrong = ledger_.CheckBroadcasts(world_);
      const bool merging = wrong.has_value();
      if (!wrong && (!lossy || world_.now() >= bound)) {
        SwarmRun trial = *this;
        wrong = trial.Exercise();
        if (trial.outcome_.violation || !wrong) {
          *this = std::move(trial);
          return !outcome_.violation;
        }
      }
      outcome_.converged_after = world_.now() - plan_->calm_from;
      if (wrong && world_.now() >= (merging ? bound : last)) {
        wrong->detail += "; not right " + TimeText(Time{limit.us}) + " after the end of the faults";
        return outcome_.knowledge_lost || !Broken(wrong);
      }
      FindHomes(world_, ledger_);
      const Duration poll = plan_->merge_alone ? plan_->world.latency.one_way * 5 : kPoll;
      const Time next = world_.now() < bound ? bound : last;
      if (!Advance(std::min(next, world_.now() + poll))) return false;
    }
  }

  // Who could reach each other before their islands met goes on doing so.
  std::optional<Violation> Reachable() {
    if (!reach_) return std::nullopt;
    reach_->Look(world_);
    return AsViolation(reach_->finding());
  }

  // What was broadcast under faults is due once the world has been whole for long enough.
  std::optional<Violation> LateNews(bool torn) {
    if (torn || plan_->merge_alone || outcome_.knowledge_lost) {
      whole_from_ = kNever;
      return std::nullopt;
    }
    whole_from_ = std::min(whole_from_, world_.now());
    return ledger_.CheckCaughtUp(world_, whole_from_ + CatchUpBound(plan_->world));
  }

  // What was promised of a network at rest; returns what is not so.
  std::optional<Violation> Exercise() {
    if (world_.live_count() < 2) return std::nullopt;
    const SwarmLedger::Results before = ledger_.results();
    Rng rng = Rng::Split(plan_->seed, kExerciseStream);
    const bool ring_alone = !plan_->world.core.has_table();
    if (!ring_alone) {
      const NodeId nobody = RandomKey(rng);  // first: arguments have no order
      ledger_.SendNowhere(world_, Live(rng.Below(1024)), nobody, kExerciseDeadline * 4);
      ledger_.Broadcast(world_, Live(rng.Below(1024)), kExerciseDeadline * 4);
      SendAround();
    }
    for (std::uint32_t i = 0; i < world_.live_count(); ++i)
      ledger_.Lookup(world_, Live(i), RandomKey(rng));
    if (!ring_alone && (!PutTwiceAndGet(RandomKey(rng)) || !MoveClient(Key(0))))
      return std::nullopt;
    ResolveAll(world_, ledger_);
    if (!AwaitEnds()) return std::nullopt;
    if (auto missing = ledger_.CheckBroadcasts(world_)) return missing;
    return Compare(before, ledger_.results());
  }

  static std::optional<Violation> Compare(const SwarmLedger::Results& before,
                                          const SwarmLedger::Results& after) {
    if (after.failed > before.failed) return after.last_failure;
    const std::uint64_t wanted = after.wanted - before.wanted;
    const std::uint64_t found = after.found - before.found;
    if (found * 10 >= wanted * 9) return std::nullopt;
    return Violation{"L3 lookups find the k closest", PeerRef::kNone, Time{},
                     std::to_string(found) + " of " + std::to_string(wanted)};
  }

  bool AwaitEnds() {
    while (ledger_.open() > 0) {
      if (!Advance(world_.now() + kLook)) return false;
    }
    return true;
  }

  // The second record is the newer one, wherever it was put.
  bool PutTwiceAndGet(const NodeId& key) {
    for (std::uint32_t put = 0; put < 2; ++put) {
      ledger_.Put(world_, Live(put), key, Duration::Minutes(2));
      if (!AwaitEnds()) return false;
    }
    for (std::uint32_t i = 0; i < world_.live_count(); i += 3) ledger_.Get(world_, Live(i), key);
    return true;
  }

  // From everybody to a few others, all of them in a small world.
  void SendAround() {
    const std::vector<PeerRef> live(world_.oracle().live().begin(), world_.oracle().live().end());
    const std::size_t targets = std::min<std::size_t>(live.size() - 1, kTargets);
    for (std::size_t i = 0; i < live.size(); ++i) {
      for (std::size_t j = 1; j <= targets; ++j) {
        const std::size_t away = 1 + (j * j * 7 + i) % (live.size() - 1);
        ledger_.Send(world_, live[i], live[(i + away) % live.size()], kExerciseDeadline);
      }
    }
  }

  bool MoveClient(const NodeId& client) {
    for (std::uint32_t home = 0; home < 2; ++home) {
      ledger_.Attach(world_, Live(home), client);
      if (!AwaitEnds()) return false;
    }
    return true;
  }

  bool StayCalm() {
    if (outcome_.knowledge_lost) return true;
    if (plan_->merge_alone && Broken(CheckMergeCost(world_, plan_->bridges))) return false;
    FindHomes(world_, ledger_);  // whoever was told that it is elsewhere comes again
    const TrafficMark mark = MarkTraffic(world_);
    if (!Advance(world_.now() + kCalm)) return false;
    if (plan_->merge_alone && Broken(AsViolation(CheckTermination(world_, before_, mark))))
      return false;
    const std::uint64_t failed = ledger_.results().failed;
    ResolveAll(world_, ledger_);
    if (!AwaitEnds()) return false;
    if (ledger_.results().failed > failed) return !Broken(ledger_.results().last_failure);
    std::optional<Violation> wrong = FirstWrong(world_, plan_->merge_alone);
    // Where jitter has no bound an answer may always be too late, and who sent it be taken for dead
    // for a while: until what suspicion has broken is repaired, within the bound of any repair.
    const bool jitters = plan_->has(FaultClass::kJitter);
    const Time bound = world_.now() + (jitters ? LivenessBound(plan_->world) : Duration{0});
    while (wrong && world_.now() < bound) {
      if (!Advance(world_.now() + kPoll)) return false;
      wrong = FirstWrong(world_, plan_->merge_alone);
    }
    if (!wrong) return true;
    wrong->detail += "; it was right before";
    return !Broken(wrong);
  }

  // Nothing may be left of what everybody held.
  bool GoDown() {
    while (world_.live_count() > 0) world_.Crash(world_.oracle().live().front());
    if (!Advance(world_.now() + kLastWords)) return false;
    const std::size_t open = ledger_.open() + ledger_.open_broadcasts();
    const std::size_t left = world_.lists_in_use() + world_.payloads_in_use() + open;
    if (left == 0) return true;
    return !Broken(Violation{"S8 nothing leaks", PeerRef::kNone, world_.now(),
                             std::to_string(world_.lists_in_use()) + " lists, " +
                                 std::to_string(world_.payloads_in_use()) + " payloads, " +
                                 std::to_string(open) + " operations are left"});
  }

  static constexpr Duration kExerciseDeadline = Duration::Seconds(30);
  static constexpr std::size_t kTargets = 3;

  const SwarmPlan* plan_;
  Story* story_;
  World world_;
  SwarmLedger ledger_;
  SafetyWatch safety_;
  Time whole_from_ = kNever;  // since when all is right that peers believe
  double before_ = 0;         // messages per second that upkeep may take
  std::optional<DeliverabilityTracker> reach_;
  SwarmOutcome outcome_;
};

}  // namespace

SwarmOutcome RunPlan(const SwarmPlan& plan) { return SwarmRun(plan, nullptr).Run(); }

std::vector<std::string> TellPlan(const SwarmPlan& plan, const Violation& violation,
                                  std::size_t lines) {
  Story story{violation.peer, lines, {}, {}};
  SwarmRun(plan, &story).Run();
  std::vector<std::string> told(story.steps.begin(), story.steps.end());
  told.insert(told.end(), story.messages.begin(), story.messages.end());
  return told;
}

}  // namespace tombolo::sim
