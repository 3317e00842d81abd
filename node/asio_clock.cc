#include "node/asio_clock.h"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>

namespace tombolo::node {
namespace {

using SteadyClock = std::chrono::steady_clock;

class AsioClock final : public Clock {
 public:
  explicit AsioClock(const boost::asio::any_io_executor& strand)
      : strand_(strand), timer_(strand), start_(SteadyClock::now()) {}

  Time now() const override {
    const auto since = SteadyClock::now() - start_;
    return {std::chrono::duration_cast<std::chrono::microseconds>(since).count()};
  }

  void Start(ClockEvents& events) override { events_ = &events; }

  void Arm(Time when) override {
    if (when == armed_) return;
    armed_ = when;
    if (when == kNever) return void(timer_.cancel());
    timer_.expires_at(start_ + std::chrono::microseconds(when.us));
    timer_.async_wait([this, alive = std::weak_ptr<char>(alive_), when](const auto& error) {
      // A handler may be on its way when its timer is armed anew.
      if (error || alive.expired() || armed_ != when) return;
      armed_ = kNever;
      events_->TimeCame();
    });
  }

  void EndTurnSoon() override {
    if (ending_) return;
    ending_ = true;
    boost::asio::post(strand_, [this, alive = std::weak_ptr<char>(alive_)] {
      if (alive.expired()) return;
      ending_ = false;
      events_->TurnEnded();
    });
  }

 private:
  boost::asio::any_io_executor strand_;
  boost::asio::steady_timer timer_;
  SteadyClock::time_point start_;
  ClockEvents* events_ = nullptr;
  Time armed_ = kNever;
  bool ending_ = false;
  std::shared_ptr<char> alive_ = std::make_shared<char>();  // as long as the clock
};

}  // namespace

std::unique_ptr<Clock> MakeAsioClock(const boost::asio::any_io_executor& strand) {
  return std::make_unique<AsioClock>(strand);
}

}  // namespace tombolo::node
