#include "node/asio_clock.h"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <string>
#include <vector>

namespace tombolo::node {
namespace {

struct Log final : ClockEvents {
  void TimeCame() override { said.emplace_back("time"); }
  void TurnEnded() override { said.emplace_back("end"); }
  std::vector<std::string> said;
};

class AsioClockTest : public testing::Test {
 protected:
  void SetUp() override { clock->Start(log); }

  boost::asio::io_context io;
  std::unique_ptr<Clock> clock = MakeAsioClock(boost::asio::make_strand(io));
  Log log;
};

using Strings = std::vector<std::string>;

TEST_F(AsioClockTest, ComesOnceAtTheTimeThatWasArmedLast) {
  const Time before = clock->now();
  clock->Arm(before + Duration::Hours(1));
  clock->Arm(before + Duration::Milliseconds(2));
  clock->Arm(before + Duration::Milliseconds(2));
  EXPECT_TRUE(log.said.empty());
  io.run();
  EXPECT_EQ(log.said, Strings{"time"});
  EXPECT_GE(clock->now(), before + Duration::Milliseconds(2));
}

TEST_F(AsioClockTest, APastTimeComesAtOnceAndADisarmedOneNever) {
  clock->Arm(Time{-1});
  io.run();
  EXPECT_EQ(log.said, Strings{"time"});
  clock->Arm(clock->now() + Duration::Milliseconds(1));
  clock->Arm(kNever);
  io.restart();
  io.run();
  EXPECT_EQ(log.said.size(), 1U);
}

TEST_F(AsioClockTest, ATurnEndsOnceAfterWhatIsWaiting) {
  boost::asio::post(io, [&] {
    clock->EndTurnSoon();
    clock->EndTurnSoon();
    log.said.emplace_back("first");
  });
  boost::asio::post(io, [&] { log.said.emplace_back("second"); });
  io.run();
  EXPECT_EQ(log.said, (Strings{"first", "second", "end"}));
}

TEST_F(AsioClockTest, NothingComesAfterTheClockIsGone) {
  clock->Arm(clock->now());
  clock->EndTurnSoon();
  clock.reset();
  io.run();
  EXPECT_TRUE(log.said.empty());
}

}  // namespace
}  // namespace tombolo::node
