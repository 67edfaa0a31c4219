#include "tools/link_plan.h"

#include <gtest/gtest.h>

namespace estab::tools {
namespace {

std::vector<Cidr> cidrs(std::initializer_list<const char*> texts) {
  std::vector<Cidr> list;
  for (const char* text : texts) list.push_back(Cidr::parse(text).value());
  return list;
}

LinkPlan usual() {
  return {.stack = cidrs({"10.77.0.2/24", "fd77::2/64"}),
          .kernel = cidrs({"10.77.0.1/24", "fd77::1/64"})};
}

std::string fault_with_gateway(const char* gateway) {
  LinkPlan plan = usual();
  plan.gateway = IpAddress::parse(gateway);
  return find_fault(plan).value_or("none");
}

TEST(LinkPlan, OfTheUsualAddressesHasNoFault) {
  EXPECT_EQ(find_fault(usual()), std::nullopt);
  EXPECT_EQ(find_fault({.stack = cidrs({"10.0.0.0/31"}), .kernel = cidrs({"10.0.0.1/31"})}),
            std::nullopt);
  EXPECT_EQ(find_fault({.stack = cidrs({"10.0.0.2/32"}), .kernel = {}}), std::nullopt);
}

TEST(LinkPlan, NeedsAnAddressForEachEnd) {
  LinkPlan plan = usual();
  plan.kernel = plan.stack;
  EXPECT_EQ(find_fault(plan),
            "--host-address '10.77.0.2/24': is the stack's address too; the two ends of the link "
            "need one each");
}

TEST(LinkPlan, RefusesWhatIsTheAddressOfNoHost) {
  for (const char* none : {"0.0.0.0/0", "224.0.0.1/4", "ff02::1/8", "127.0.0.1/8", "::1/128",
                           "255.255.255.255/32", "10.77.0.255/24", "10.77.0.0/24"}) {
    EXPECT_NE(find_fault({.stack = cidrs({none}), .kernel = {}}), std::nullopt) << none;
    EXPECT_NE(find_fault({.stack = {}, .kernel = cidrs({none})}), std::nullopt) << none;
  }
}

TEST(LinkPlan, TakesARouterOnTheLinkOnly) {
  EXPECT_EQ(fault_with_gateway("10.77.0.1"), "none");
  EXPECT_EQ(fault_with_gateway("fd77::99"), "none");
  EXPECT_EQ(fault_with_gateway("fe80::1"), "none");
  EXPECT_EQ(fault_with_gateway("10.99.0.1"),
            "--gateway '10.99.0.1': is not on the link; a router must be on the network of "
            "10.77.0.2/24");
  EXPECT_EQ(fault_with_gateway("10.77.0.2"), "--gateway '10.77.0.2': is the stack's own address");
  LinkPlan plan{.stack = cidrs({"10.77.0.2/24"}), .kernel = {}};
  plan.gateway = IpAddress::parse("fd77::1");
  EXPECT_EQ(find_fault(plan),
            "--gateway 'fd77::1': the stack has no IPv6 address; give it one with --address");
}

TEST(LinkPlan, KnowsWhenTheKernelHasNoWayToTheStack) {
  EXPECT_EQ(unreachable_address(usual().stack, usual().kernel), std::nullopt);
  EXPECT_EQ(unreachable_address(usual().stack, cidrs({"10.88.0.1/24"})),
            IpAddress::parse("10.77.0.2"));
  EXPECT_EQ(unreachable_address(usual().stack, {}), IpAddress::parse("10.77.0.2"));
  EXPECT_EQ(unreachable_address(usual().stack, cidrs({"10.0.0.1/8"})), std::nullopt);
}

}  // namespace
}  // namespace estab::tools
