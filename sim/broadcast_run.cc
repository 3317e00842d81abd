#include "sim/broadcast_run.h"

namespace tombolo::sim {
namespace {

constexpr std::uint32_t kBytes = 100;
constexpr Duration kSpacing = Duration::Seconds(1);
constexpr Duration kDeadline = Duration::Minutes(1);

// Sends one broadcast and waits until it is time for the next, or, to the end, for its own end.
Operation Broadcast(World& world, std::uint32_t sender, bool to_the_end) {
  BroadcastOptions options;
  options.deadline = kDeadline;
  const Time start = world.now();
  const OperationId id = world.StartBroadcast(world.SenderOf(sender), kBytes, options);
  if (!to_the_end) world.RunFor(kSpacing);
  world.RunUntilEnded(id, start + kDeadline + kSpacing);
  return world.TakeOperation(id);
}

}  // namespace

BroadcastFigures MeasureBroadcasts(World& world, const BroadcastRunOptions& options,
                                   const std::function<bool()>& go_on) {
  BroadcastFigures figures;
  for (std::uint32_t i = 0; i < options.settling * options.senders && go_on(); ++i) {
    Broadcast(world, i % options.senders, false);
  }
  world.ResetMetrics();
  const Time start = world.now();
  while (figures.broadcasts < options.measured * options.senders && go_on()) {
    const Operation done = Broadcast(world, figures.broadcasts % options.senders, false);
    figures.last_hop.Add(done.hops);
    ++figures.broadcasts;
  }
  figures.stable = world.metrics();
  figures.simulated = world.now() - start;
  if (options.deaths > 0 && go_on()) {
    world.CrashShare(options.deaths);
    world.ResetMetrics();
    figures.survivors = world.live_count();
    const Operation done = Broadcast(world, 0, true);
    figures.reached_after = done.last_reached - done.started;
    figures.failed = world.metrics();
  }
  figures.trace_hash = world.trace_hash();
  return figures;
}

}  // namespace tombolo::sim
