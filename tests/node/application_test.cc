// Requests of the application, and what ends them.
#include "node/application.h"

#include <gtest/gtest.h>

#include <optional>
#include <variant>
#include <vector>

#include "tests/node/gateway_net.h"

namespace tombolo::node {
namespace {

// The lease of a newer home is all the answer that an attachment may get.
TEST(Application, AnAttachmentEndsWhenTheClientHasANewerHome) {
  GatewayNet net(2);
  const NodeId client{{1, 2, 3, 4, 5}};
  ASSERT_TRUE(net.at(0).application.Do(AttachClient{0, client, 9}).ok());
  net.RunFor(Duration::Seconds(2));

  std::vector<Event> answers;
  Application& later = net.at(1).application;
  ASSERT_TRUE(later
                  .Ask(AttachClient{0, client, 8}, {},
                       [&](const Event& event, const std::string&) { answers.push_back(event); })
                  .ok());
  net.RunFor(Duration::Seconds(30));
  ASSERT_EQ(answers.size(), 1U);
  ASSERT_TRUE(std::holds_alternative<LeaseLost>(answers[0]));
  EXPECT_EQ(std::get<LeaseLost>(answers[0]).client, client);
  EXPECT_EQ(later.requests(), 0U);
}

// Without acknowledgement it ends in nothing, but for one that is refused at once.
TEST(Application, ABroadcastThatIsRefusedIsNotTaken) {
  GatewayNet net(2);
  Broadcast broadcast;
  broadcast.ttl = Duration::Minutes(5);
  Application& application = net.at(0).application;
  std::optional<Failed> refused;
  int taken = 0;
  for (; taken < 1000 && !refused; ++taken) {
    const auto tried = application.Try(broadcast, "x");
    ASSERT_TRUE(tried.ok()) << tried.status();
    refused = *tried;
  }
  ASSERT_TRUE(refused);
  EXPECT_GT(taken, 1);
  EXPECT_EQ(refused->reason, FailReason::kOverload);
  EXPECT_EQ(application.requests(), 0U);
}

}  // namespace
}  // namespace tombolo::node
