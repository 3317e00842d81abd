// What the log says of links: that the node is in the overlay, by which addresses it has not come
// to a link, which callers became no peers, that its last link is gone and that it has one again.
// And why, in the words of whoever has ended a connection. Who is refused before the transport has
// proven its id is counted there, and not told here.
//
// Levels: warning for an address to join through that led to no link, and for a node without links;
// info for the way into the overlay and for callers that never became peers; debug for all other
// connections that end.
//
// Rate: kLimits, by kind of line. The rest is counted, and the next line of the kind says how many
// there were. What other sides have said is shown as ASCII, everything else as '?'.
//
// Thread rule: the strand. Ownership: neither may be used once the other is gone, so both belong to
// one owner.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "node/application.h"
#include "node/connection.h"
#include "overlay/event.h"
#include "overlay/time.h"

namespace tombolo::node {

class LinkLog {
 public:
  enum class Kind : std::uint8_t { kState, kUnreached, kCaller, kEnded };
  struct Limit {
    std::uint32_t lines;
    Duration per;
  };
  // By kind. A dead address of the configuration may stay dead for days; the ends of all
  // connections are for whoever looks for a fault.
  static constexpr std::array<Limit, 4> kLimits = {{{20, Duration::Minutes(1)},
                                                    {20, Duration::Minutes(10)},
                                                    {10, Duration::Minutes(1)},
                                                    {100, Duration::Minutes(1)}}};

  // From now on, until the application ends. `now`: the clock of its host.
  LinkLog(Application& application, std::function<Time()> now);
  LinkLog(const LinkLog&) = delete;
  LinkLog& operator=(const LinkLog&) = delete;

 private:
  enum class Level : std::uint8_t { kDebug, kInfo, kWarning };

  struct Budget {
    Time since;
    std::uint32_t lines = 0;
    std::uint64_t left_out = 0;
  };

  void OnEvent(const Event& event);
  void OnConnectionEnded(const Connection& connection);
  void Write(Kind kind, Level level, std::string line);

  Application& application_;
  const std::function<Time()> now_;
  std::array<Budget, kLimits.size()> budgets_{};
  bool linked_ = false;
};

}  // namespace tombolo::node
