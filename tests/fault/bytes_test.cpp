// SPDX-License-Identifier: BSD-3-Clause
//
// The end of a connection after each byte that a server says: within its login, within the statements that open a
// session, between and within the messages of a result. Each request is answered, and the next one as if nothing had
// been.

#include "fault/fault_test.hpp"
#include "support/effort.hpp"

namespace {

using namespace sheaf;
using namespace sheaf::test;

class FaultBytes : public PostgresqlFault, public ::testing::WithParamInterface<fault> {
protected:
  /// Runs a statement twice, so that the second run finds it prepared, in a new engine whose connection ends after
  /// `bytes`. False when that was not reached.
  bool strike_after(std::size_t bytes, fault_gate& gate) {
    gate.heal();
    open([&](options& how) {
      how.databases[0].pool.max_size = 1;
      how.databases[0].url = schema.url(fmt::format("port={} sslmode=disable gssencmode=disable", gate.port()));
    });
    gate.strike(GetParam(), bytes);
    for (int run = 0; run < 2; ++run) {
      const auto x = e->run(request_of({{"q", "select n, 'row ' || n from generate_series(1, 3) n"}}));
      if (x.ok()) {
        EXPECT_EQ(x["q"].table().rows(), 3u);
        continue;
      }
      const auto& f = *x.failure;
      EXPECT_TRUE(f.code == (f.reached_server ? errc::connection_lost : errc::connect_failed)) << to_string(f);
      EXPECT_EQ(f.phase == phase::connect, !f.reached_server) << to_string(f);
      gate.heal();
      EXPECT_TRUE(eventually([&] { return e->run(request_of({{"q", "select 1"}})).ok(); }));
      return true;
    }
    return gate.struck();
  }
};

TEST_P(FaultBytes, AreTheLastOnes) {
  fault_gate gate{schema.server.number("select inet_server_port()")};
  const std::size_t step = short_or_long(7, 1);
  std::size_t bytes = 1;
  while (strike_after(bytes, gate) && !HasFailure())
    bytes += step;
  EXPECT_GT(bytes, 500u) << "it is over before the login is";
  e.reset();
  EXPECT_TRUE(eventually([&] { return gate.connections() == 0; }));
}

INSTANTIATE_TEST_SUITE_P(Everywhere, FaultBytes, ::testing::Values(fault::cut, fault::reset),
                         [](const auto& x) { return x.param == fault::cut ? "Cut" : "Reset"; });

} // namespace
