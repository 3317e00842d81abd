// The keys of what happens and what is reported: [[workload]], [[at]], [expect], [report].
#include <array>

#include "sim/scenario_key_tables.h"

namespace tombolo::sim {
namespace {

constexpr double kYearS = 365.0 * 24 * 3600;

template <auto Member>
Field InWorkload(Target& target) {
  return &(target.workload->*Member);
}
template <auto Member>
Field InAction(Target& target) {
  return &(target.action->*Member);
}
template <auto Member>
Field InExpect(Target& target) {
  return &(target.scenario->expect.*Member);
}
template <auto Member>
Field InReport(Target& target) {
  return &(target.scenario->report.*Member);
}

Field Kind(Target& target) {
  return Choose(target.workload->kind, {"lookup", "send", "put", "get", "broadcast", "attach"});
}
Field SpacingOf(Target& target) { return Choose(target.workload->spacing, {"fixed", "poisson"}); }

constexpr std::array kWorkload = {
    Key{"workload", "kind", kNoLimit, kNoLimit, "what random live peers do", Kind},
    Key{"workload", "rate_per_s", 0.000'001, 1e6, "operations in the whole world",
        InWorkload<&WorkloadOptions::rate_per_s>},
    Key{"workload", "spacing", kNoLimit, kNoLimit, "equal or exponential pauses between operations",
        SpacingOf},
    Key{"workload", "start_s", 0, kYearS, "first operation, since the start of the run",
        InWorkload<&WorkloadOptions::start>},
    Key{"workload", "duration_s", 0, kYearS, "no operations later than this after start_s",
        InWorkload<&WorkloadOptions::duration>},
    Key{"workload", "count", 1, 9.2e18, "operations at most", InWorkload<&WorkloadOptions::count>},
    Key{"workload", "payload_bytes", 0, 1 << 30, "size of what sends, puts and broadcasts carry",
        InWorkload<&WorkloadOptions::payload_bytes>},
    Key{"workload", "deadline_s", 0.001, 86'400,
        "of sends and broadcasts: delivered or failed by then",
        InWorkload<&WorkloadOptions::deadline>},
    Key{"workload", "copies", 1, 8, "of sends: node-disjoint copies",
        InWorkload<&WorkloadOptions::copies>},
    Key{"workload", "keys", 1, 1 << 30, "of puts and gets: they draw from this many keys",
        InWorkload<&WorkloadOptions::keys>},
    Key{"workload", "ttl_s", 1, kYearS, "of puts and broadcasts: life of what is sent",
        InWorkload<&WorkloadOptions::ttl>},
    Key{"workload", "senders", 0, kMaxPeers, "of broadcasts: how many peers send; 0 = all",
        InWorkload<&WorkloadOptions::senders>},
    Key{"workload", "acknowledge", kNoLimit, kNoLimit,
        "of broadcasts: the origin counts whom it has reached",
        InWorkload<&WorkloadOptions::acknowledge>},
    Key{"workload", "max_hops", 1, 255, "of broadcasts: they are passed on so many times",
        InWorkload<&WorkloadOptions::max_hops>},
    Key{"workload", "clients", 1, 1 << 24, "of attach: clients that attach to random peers",
        InWorkload<&WorkloadOptions::clients>},
    Key{"workload", "rooms", 0, 1 << 24, "of attach: rooms that clients are members of",
        InWorkload<&WorkloadOptions::rooms>},
    Key{"workload", "move_share", 0, 1, "of attach: share of the operations that move a client",
        InWorkload<&WorkloadOptions::move_share>},
    Key{"workload", "room_share", 0, 1,
        "of attach: share of the operations that are room changes; the others look for clients",
        InWorkload<&WorkloadOptions::room_share>},
    Key{"workload", "reattach_s", 0, kYearS, "of attach: until a client of a dead home has another",
        InWorkload<&WorkloadOptions::reattach>},
};

constexpr std::array kAt = {
    Key{"at", "time_s", 0, kYearS, "when, since the start of the run", InAction<&TimedAction::at>},
    Key{"at", "crash", 0, 1, "share of the live peers that dies without a word",
        InAction<&TimedAction::crash>},
    Key{"at", "leave", 0, 1, "share of the live peers that leaves politely",
        InAction<&TimedAction::leave>},
    Key{"at", "join", 0, kMaxPeers, "new peers that join through random live ones",
        InAction<&TimedAction::join>},
};

constexpr std::array kExpect = {
    Key{"expect", "lookup_success", -1, 1,
        "least share of lookups that succeed; negative = not checked",
        InExpect<&Expectations::lookup_success>},
    Key{"expect", "closest_found", -1, 1,
        "least share of lookups that find the closest live peer; negative = not checked",
        InExpect<&Expectations::closest_found>},
    Key{"expect", "send_success", -1, 1,
        "least share of sends that are delivered; negative = not checked",
        InExpect<&Expectations::send_success>},
    Key{"expect", "false_empty_buckets", -1, 1e9,
        "most buckets empty though the world has a peer for them; negative = not checked",
        InExpect<&Expectations::false_empty_buckets>},
    Key{"expect", "ring_ok", kNoLimit, kNoLimit,
        "every live peer's first live successor is the right one: one ordered ring",
        InExpect<&Expectations::ring_ok>},
    Key{"expect", "tables_ok", kNoLimit, kNoLimit, "no bucket is empty though the world has a peer",
        InExpect<&Expectations::tables_ok>},
    Key{"expect", "all_routable", kNoLimit, kNoLimit,
        "routes of live contacts join all pairs; of more than 2,000 peers 10,000 sampled ones",
        InExpect<&Expectations::all_routable>},
};

constexpr std::array kReport = {
    Key{"report", "series_s", 0.001, kYearS,
        "interval of series.csv; doubles when there are more than 10,000 rows",
        InReport<&ReportOptions::series>},
    Key{"report", "check_peers", 0, kMaxPeers,
        "peers whose buckets are compared with the truth at the end",
        InReport<&ReportOptions::check_peers>},
    Key{"report", "check_lookups", 0, 1e6, "lookups compared with the truth after the end",
        InReport<&ReportOptions::check_lookups>},
};

}  // namespace

std::optional<std::string> CheckLoad(const WorkloadOptions& workload, const Config& core) {
  if (auto broken = workload.Validate()) return broken;
  const bool keeps = workload.kind == OperationKind::kPut || workload.kind == OperationKind::kGet ||
                     workload.kind == OperationKind::kAttach;
  if (core.has_table() || !keeps) return std::nullopt;
  const auto kind = static_cast<std::size_t>(workload.kind);
  return "kind = \"" + std::string(kOperationNames[kind]) +
         "\": allowed only with overlay = \"kademlia\" | \"both\"; a ring on its own keeps nothing";
}

KeyLists LoadKeys() { return {kWorkload, kAt, kExpect, kReport}; }

}  // namespace tombolo::sim
