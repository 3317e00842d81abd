// The options of injected faults, and what follows from message, peer and time alone.
#include "sim/fault_injector.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "sim/options.h"

namespace tombolo::sim {
namespace {

PeerRef Ref(std::uint32_t index) { return static_cast<PeerRef>(index); }

// ---- Options.

struct Case {
  std::function<void(FaultOptions&)> spoil;
  std::string error;
};

void ExpectErrors(const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    WorldOptions options;
    c.spoil(options.faults);
    EXPECT_EQ(options.Validate(), c.error);
  }
}

TEST(FaultOptions, EveryBadValueIsNamedWithWhatIsAllowed) {
  EXPECT_EQ(FaultOptions().Validate(), std::nullopt);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const std::vector<Case> cases = {
      {[](FaultOptions& f) { f.drop = 1.5; }, "faults.drop = 1.5: allowed are 0 to 1"},
      {[nan](FaultOptions& f) { f.corrupt = nan; }, "faults.corrupt = nan: allowed are 0 to 1"},
      {[](FaultOptions& f) { f.delay_shape = 1; },
       "faults.delay_shape = 1: allowed are 1.05 to 100"},
      {[](FaultOptions& f) { f.delay_mean = {}; },
       "faults.delay_mean = 0 s: allowed are 1e-06 to 3600 s"},
      {[](FaultOptions& f) { f.flaps_per_s = -1; },
       "faults.flaps_per_s = -1: allowed are 0 to 1000"},
      {[](FaultOptions& f) { f.flap_cycles = 0; }, "faults.flap_cycles = 0: allowed are 1 to 1000"},
      {[](FaultOptions& f) { f.clog = {}; }, "faults.clog = 0 s: allowed are 0.001 to 3600 s"},
      {[](FaultOptions& f) { f.partition_islands = 1; },
       "faults.partition_islands = 1: allowed are 2 to 1000"},
      {[](FaultOptions& f) { f.rollback_share = 0.75, f.forget_share = 0.5; },
       "faults.forget_share = 0.5: allowed are 0 to 0.25"},
      {[](FaultOptions& f) { f.pause = Duration::Hours(2); },
       "faults.pause = 7200 s: allowed are 0.001 to 3600 s"},
      {[](FaultOptions& f) { f.skew_drift = 1; }, "faults.skew_drift = 1: allowed are 0 to 0.5"},
      {[](FaultOptions& f) { f.flood_per_s = 1e6; },
       "faults.flood_per_s = 1000000: allowed are 0 to 100000"},
      {[](FaultOptions& f) { f.end = Duration{-1}; },
       "faults.end = -1e-06 s: allowed are 0 to 31536000 s"},
  };
  ExpectErrors(cases);
  WorldOptions squeezed;
  squeezed.faults.squeeze_share = 0.5;
  EXPECT_EQ(squeezed.Validate(),
            "faults.squeeze_share: allowed above 0 only with a bandwidth.model");
}

TEST(FaultOptions, SoAreThoseOfLinksNetworksAndClocks) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  ExpectErrors({
      {[](FaultOptions& f) { f.half_opens_per_s = 2000; },
       "faults.half_opens_per_s = 2000: allowed are 0 to 1000"},
      {[](FaultOptions& f) { f.resets_per_s = -1; },
       "faults.resets_per_s = -1: allowed are 0 to 1000"},
      {[nan](FaultOptions& f) { f.rebinds_per_s = nan; },
       "faults.rebinds_per_s = nan: allowed are 0 to 1000"},
      {[](FaultOptions& f) { f.slow_reader_share = 2; },
       "faults.slow_reader_share = 2: allowed are 0 to 1"},
      {[](FaultOptions& f) { f.read_per_s = 0; },
       "faults.read_per_s = 0: allowed are 0.1 to 100000"},
      {[](FaultOptions& f) { f.network_share = -0.5; },
       "faults.network_share = -0.5: allowed are 0 to 1"},
      {[](FaultOptions& f) { f.networks = 0; }, "faults.networks = 0: allowed are 1 to 1000"},
      {[](FaultOptions& f) { f.clock_jumps_per_s = 1001; },
       "faults.clock_jumps_per_s = 1001: allowed are 0 to 1000"},
      {[](FaultOptions& f) { f.clock_jump = {}; },
       "faults.clock_jump = 0 s: allowed are 0.001 to 86400 s"},
      {[](FaultOptions& f) { f.wave = Duration{1}; },
       "faults.wave = 1e-06 s: allowed are 0.001 to 864000 s"},
      {[](FaultOptions& f) { f.false_digest_share = 1.5; },
       "faults.false_digest_share = 1.5: allowed are 0 to 1"},
  });
}

// ---- What is a function of message, peer and time.

TEST(FaultInjector, FatesFollowFromSenderAndSequenceInTheGivenShares) {
  FaultOptions options;
  options.drop = 0.1;
  options.delay = 0.2;
  options.duplicate = 0.3;
  options.end = Duration::Seconds(10);
  const FaultInjector faults(options, 3);
  int dropped = 0, delayed = 0, duplicated = 0;
  double extra_us = 0;
  for (std::uint32_t i = 0; i < 10'000; ++i) {
    const Fate fate = faults.FateOf(Ref(4), i, Time{});
    dropped += fate.dropped ? 1 : 0;
    delayed += fate.delayed ? 1 : 0;
    duplicated += fate.duplicated ? 1 : 0;
    extra_us += static_cast<double>(fate.extra.us);
    EXPECT_EQ(fate.extra, faults.FateOf(Ref(4), i, Time{7}).extra);
    EXPECT_FALSE(faults.FateOf(Ref(4), i, Time{} + Duration::Seconds(10)).dropped) << "over";
  }
  EXPECT_NEAR(dropped, 1000, 100);
  EXPECT_NEAR(delayed, 2000, 150);
  EXPECT_NEAR(duplicated, 3000, 150);
  EXPECT_NEAR(extra_us / delayed, 500e3, 50e3) << "mean of the exponential";
}

TEST(FaultInjector, ParetoDelaysHaveTheGivenMeanAndALongTail) {
  FaultOptions options;
  options.delay = 1;
  options.delay_shape = 2.5;
  const FaultInjector faults(options, 3);
  double sum_us = 0;
  std::int64_t least = kNever.us;
  std::int64_t most = 0;
  for (std::uint32_t i = 0; i < 20'000; ++i) {
    const std::int64_t us = faults.FateOf(Ref(1), i, Time{}).extra.us;
    sum_us += static_cast<double>(us);
    least = std::min(least, us);
    most = std::max(most, us);
  }
  EXPECT_NEAR(sum_us / 20'000, 500e3, 25e3);
  EXPECT_GE(least, 299'999) << "mean (shape - 1) / shape";
  EXPECT_GT(most, 3'000'000);
}

TEST(FaultInjector, ClocksTranslateThereAndBack) {
  FaultOptions options;
  options.skew_share = 0.5;
  options.skew_drift = 0.3;
  const FaultInjector faults(options, 3);
  int skewed = 0;
  for (std::uint32_t peer = 0; peer < 200; ++peer) {
    Time before{-1};
    bool wrong = false;
    for (std::int64_t us = 0; us < 100'000'000; us += 3'333'331) {
      const Time local = faults.LocalTime(Ref(peer), Time{us});
      EXPECT_GT(local, before) << "a clock never goes back";
      before = local;
      wrong = wrong || local.us != us;
      // The first moment at which the clock shows `local`.
      const Time host = faults.HostTime(Ref(peer), local);
      EXPECT_LE(host.us, us);
      EXPECT_GE(faults.LocalTime(Ref(peer), host), local);
      if (host.us > 0) {
        EXPECT_LT(faults.LocalTime(Ref(peer), Time{host.us - 1}), local);
      }
    }
    EXPECT_EQ(faults.HostTime(Ref(peer), kNever), kNever);
    skewed += wrong ? 1 : 0;
  }
  EXPECT_NEAR(skewed, 100, 30);
}

TEST(FaultInjector, AClogHoldsItsPairAndItsTime) {
  FaultInjector faults;
  EXPECT_TRUE(faults.Clog(Ref(5), Ref(2), Time{100}, Time{200}, Time{0}));
  EXPECT_TRUE(faults.Clog(Ref(2), Ref(5), Time{150}, Time{300}, Time{0}));
  EXPECT_EQ(faults.ClogWait(Ref(2), Ref(5), Time{99}), Duration{0});
  EXPECT_EQ(faults.ClogWait(Ref(2), Ref(5), Time{100}), Duration{100});
  EXPECT_EQ(faults.ClogWait(Ref(5), Ref(2), Time{150}), Duration{150});
  EXPECT_EQ(faults.ClogWait(Ref(5), Ref(3), Time{150}), Duration{0});
  EXPECT_TRUE(faults.Clog(Ref(7), Ref(8), Time{300}, Time{400}, Time{300}));
  EXPECT_EQ(faults.ClogWait(Ref(2), Ref(5), Time{300}), Duration{0});
  int begun = 0;
  while (faults.Clog(Ref(1), Ref(2), Time{300}, Time{400}, Time{300})) ++begun;
  EXPECT_EQ(begun, 4095);
}

TEST(FaultInjector, AClockLeapsAheadAndStaysThere) {
  FaultOptions options;
  options.clock_jumps_per_s = 1;
  options.skew_share = 1;
  options.skew_offset = Duration::Seconds(10);
  FaultInjector faults(options, 3);
  const Time now{1'000'000};
  const Time before = faults.LocalTime(Ref(7), now);
  const Time other = faults.LocalTime(Ref(8), now);
  faults.Leap(Ref(7), Duration::Seconds(5));
  faults.Leap(Ref(7), Duration::Seconds(2));
  EXPECT_EQ(faults.LocalTime(Ref(7), now), before + Duration::Seconds(7));
  EXPECT_EQ(faults.LocalTime(Ref(8), now), other);
  EXPECT_EQ(faults.HostTime(Ref(7), before), Time{}) << "it has shown that long ago";
  EXPECT_EQ(faults.LocalTime(Ref(7), faults.HostTime(Ref(7), Time{90'000'000})), Time{90'000'000});
  for (int i = 0; i < 40; ++i) faults.Leap(Ref(7), Duration::Hours(24));
  EXPECT_EQ(faults.LocalTime(Ref(7), now), before + kMostLeap);
}

TEST(FaultInjector, ASlowReaderTakesOneAfterTheOtherAndHasRoomForSoMany) {
  FaultOptions options;
  options.slow_reader_share = 1;
  options.read_per_s = 10;
  options.end = Duration::Seconds(10);
  FaultInjector faults(options, 3);
  const Duration gap = Duration::Milliseconds(100);
  EXPECT_EQ(faults.ReadTime(Ref(1), Time{}), Time{}) << "the first one at once";
  for (int i = 1; i <= static_cast<int>(kMostUnread); ++i)
    EXPECT_EQ(faults.ReadTime(Ref(1), Time{}), Time{} + gap * i);
  EXPECT_EQ(faults.ReadTime(Ref(1), Time{}), kNever);
  EXPECT_EQ(faults.ReadTime(Ref(2), Time{}), Time{}) << "another one";
  EXPECT_EQ(faults.ReadTime(Ref(1), Time{} + gap * 2), Time{} + gap * (kMostUnread + 1));
  // After the end: nobody overtakes those who wait.
  const Time over = Time{} + options.end;
  EXPECT_EQ(faults.ReadTime(Ref(1), over), Time{} + gap * (kMostUnread + 2));
  EXPECT_EQ(faults.ReadTime(Ref(1), over), Time{} + gap * (kMostUnread + 2));
  EXPECT_EQ(faults.ReadTime(Ref(2), over), over);
}

TEST(FaultInjector, APeerIsInOneNetwork) {
  FaultOptions options;
  options.networks = 4;
  const FaultInjector faults(options, 3);
  const std::vector<std::uint16_t> one = faults.CutOff(Ref(5), 1000);
  EXPECT_EQ(one[5], 1);
  EXPECT_NEAR(static_cast<double>(std::count(one.begin(), one.end(), 1)), 250, 50);
  for (std::uint32_t peer = 0; peer < 1000; ++peer) {
    if (one[peer] == 1) {
      EXPECT_EQ(faults.CutOff(Ref(peer), 1000), one);
    } else {
      EXPECT_EQ(faults.CutOff(Ref(peer), 1000)[5], 0);
    }
  }
}

TEST(FaultInjector, AHalfOpenLinkEndsWithWordOverANewOne) {
  FaultInjector faults;
  EXPECT_TRUE(faults.HalfOpen(Ref(1), Ref(2), 10, Time{100}));
  EXPECT_FALSE(faults.HalfOpen(Ref(1), Ref(2), 11, Time{200})) << "it is";
  EXPECT_TRUE(faults.IsHalfOpen(Ref(1), Ref(2)));
  EXPECT_FALSE(faults.IsHalfOpen(Ref(2), Ref(1)));
  EXPECT_FALSE(faults.EndHalfOpen(Ref(1), Ref(2), 9)) << "said over the old one";
  EXPECT_FALSE(faults.EndHalfOpen(Ref(2), Ref(1), 12));
  EXPECT_TRUE(faults.EndHalfOpen(Ref(1), Ref(2), 10));
  EXPECT_FALSE(faults.IsHalfOpen(Ref(1), Ref(2)));
  EXPECT_TRUE(faults.HalfOpen(Ref(1), Ref(2), 10, Time{100}));
  EXPECT_TRUE(faults.HalfOpen(Ref(1), Ref(3), 10, Time{200}));
  EXPECT_EQ(faults.EndHalfOpens(Ref(1), Time{150}), std::vector{Ref(2)});
  EXPECT_TRUE(faults.IsHalfOpen(Ref(1), Ref(3)));
}

TEST(FaultInjector, WhatWasSentBeforeABreakIsLost) {
  FaultInjector faults;
  EXPECT_FALSE(faults.IsBroken(Ref(1), Ref(2), 0));
  faults.Break(Ref(1), Ref(2), 10, Time{0});
  EXPECT_TRUE(faults.IsBroken(Ref(1), Ref(2), 9));
  EXPECT_FALSE(faults.IsBroken(Ref(1), Ref(2), 10));
  EXPECT_FALSE(faults.IsBroken(Ref(2), Ref(1), 9));
  faults.Break(Ref(1), Ref(2), 20, Time{0});
  EXPECT_TRUE(faults.IsBroken(Ref(1), Ref(2), 19));
  faults.Break(Ref(1), Ref(2), 2, Time{0});
  EXPECT_TRUE(faults.IsBroken(Ref(1), Ref(2), ~std::uint32_t{0})) << "sequences begin anew";
  faults.Break(Ref(5), Ref(6), 2, Time{} + Duration::Minutes(2));
  EXPECT_FALSE(faults.IsBroken(Ref(1), Ref(2), 1)) << "remembered for a minute";
}

TEST(FaultInjector, MassesComeByDayAndLeaveByNight) {
  FaultOptions options;
  options.start = Duration::Seconds(3);
  options.wave = Duration::Seconds(10);
  const FaultInjector faults(options, 3);
  const Time day = Time{} + Duration::Seconds(3);
  const Time night = day + Duration::Seconds(5);
  for (int i = 0; i < 3; ++i) {
    const Duration later = options.wave * i;
    EXPECT_TRUE(faults.IsTide(FaultRate::kMassJoin, day + later));
    EXPECT_FALSE(faults.IsTide(FaultRate::kMassLeave, day + later));
    EXPECT_FALSE(faults.IsTide(FaultRate::kMassJoin, night + later));
    EXPECT_TRUE(faults.IsTide(FaultRate::kMassLeave, night + later));
    EXPECT_TRUE(faults.IsTide(FaultRate::kCrash, day + later));
    EXPECT_TRUE(faults.IsTide(FaultRate::kCrash, night + later));
  }
  EXPECT_TRUE(FaultInjector().IsTide(FaultRate::kMassLeave, day)) << "without a wave at any time";
}

TEST(FaultInjector, WhoBreaksTheRulesIsTheShareThatWasAskedFor) {
  FaultOptions options;
  options.liar_share = 0.2;
  options.dropper_share = 0.4;
  options.end = Duration::Seconds(10);
  const FaultInjector faults(options, 11);
  int liars = 0, droppers = 0, both = 0;
  for (std::uint32_t peer = 0; peer < 5000; ++peer) {
    const bool liar = faults.IsLiar(Ref(peer), Time{});
    const bool dropper = faults.IsDropper(Ref(peer), Time{});
    liars += liar ? 1 : 0;
    droppers += dropper ? 1 : 0;
    both += liar && dropper ? 1 : 0;
    EXPECT_FALSE(faults.IsLiar(Ref(peer), Time{} + Duration::Seconds(10)));
  }
  EXPECT_NEAR(liars, 1000, 120);
  EXPECT_NEAR(droppers, 2000, 150);
  EXPECT_NEAR(both, 400, 80) << "drawn independently";
}

}  // namespace
}  // namespace tombolo::sim
