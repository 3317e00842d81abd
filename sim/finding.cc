#include "sim/finding.h"

#include <utility>

#include "sim/number_table.h"

namespace tombolo::sim {
namespace {

constexpr std::array<std::string_view, kInvariants> kNames = {
    "I1 one ring",
    "I2 ordered ring",
    "I3 no appendage",
    "I4 live successor",
    "I5 no false-empty bucket",
    "I6 routable",
    "I7 leaf set",
    "I8 no loops",
    "I9 budgets",
    "I10 no traffic to the dead",
    "I11 termination",
    "I12 monotone deliverability",
};

}  // namespace

std::string_view NameOf(Invariant invariant) { return kNames[static_cast<std::size_t>(invariant)]; }

void Finding::Report(PeerRef offender, std::string what) {
  if (broken++ > 0) return;
  peer = offender;
  detail = std::move(what);
}

Finding StartFinding(const World& world, Invariant invariant) {
  Finding finding;
  finding.invariant = invariant;
  finding.at = world.now();
  return finding;
}

std::string Describe(const World& world, const Finding& finding) {
  std::string text(NameOf(finding.invariant));
  if (finding.ok()) return text + ": " + std::to_string(finding.checked) + " checked";
  text += ": " + std::to_string(finding.broken) + " of " + std::to_string(finding.checked) +
          " broken at " + NumberText(finding.at.seconds()) + " s; first: ";
  if (finding.peer != PeerRef::kNone) {
    text += "peer " + std::to_string(Index(finding.peer)) + " (" +
            world.directory().id(finding.peer).ToHex().substr(0, 8) + "...): ";
  }
  return text + finding.detail;
}

}  // namespace tombolo::sim
