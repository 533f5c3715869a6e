// SPDX-License-Identifier: BSD-3-Clause
//
// No place left: for connections at the server, for descriptors in this process. It is said at once, and what comes
// free is used.

#include "fault/fault_test.hpp"

#include <sys/resource.h>

#include <fcntl.h>
#include <unistd.h>

namespace {

using namespace sheaf;
using namespace sheaf::test;
using namespace std::chrono_literals;

class FaultPlaces : public PostgresqlFault {};

/// A role of the test's own, whose connections are limited as the server's are by `max_connections`.
TEST_F(FaultPlaces, TakenByOthersAreMissedAtOnceAndUsedAgain) {
  const auto role = schema.name() + "_crowd";
  observer admin{environment("SHEAF_TEST_POSTGRES_ADMIN")};
  admin(fmt::format("create role {0} login connection limit 2 in role sheaf", role));
  const auto socket = environment("SHEAF_TEST_POSTGRES_SOCKET") + " user=" + role;
  auto others = std::make_unique<std::array<observer, 2>>(std::array{observer{socket}, observer{socket}});
  open([&](options& how) { how.databases[0].url = schema.url(socket); });
  for (int i = 0; i < 3; ++i) {
    const auto f = refused("select 1");
    EXPECT_EQ(f.code, errc::too_many_connections) << to_string(f);
    EXPECT_EQ(f.sqlstate, "53300");
    EXPECT_TRUE(safe_to_retry(f));
  }
  others.reset();
  EXPECT_TRUE(eventually([&] { return run("select 1").ok(); }));
  admin(fmt::format("alter role {0} connection limit -1", role));
  expect_recovery();
  e.reset();
  EXPECT_TRUE(eventually([&] { return schema.backends() == 0; }));
  admin(fmt::format("drop role {0}", role));
}

/// As long as it is there, this process can open no descriptor more.
class no_descriptors {
public:
  no_descriptors() {
    const int next = ::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0); // the lowest number that is free: all below are taken
    ::close(next);
    ::getrlimit(RLIMIT_NOFILE, &before_);
    const rlimit none{static_cast<rlim_t>(next), before_.rlim_max};
    EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  }
  ~no_descriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }

  no_descriptors(const no_descriptors&) = delete;
  no_descriptors& operator=(const no_descriptors&) = delete;

private:
  rlimit before_{};
};

TEST_F(FaultPlaces, ForDescriptorsAreMissedAtOnceAndUsedAgain) {
  open();
  {
    const no_descriptors now;
    for (int i = 0; i < 3; ++i) {
      const auto f = refused("select 1");
      EXPECT_EQ(f.code, errc::connect_failed) << to_string(f);
      EXPECT_NE(f.message.find("Too many open files"), std::string::npos) << f.message;
      EXPECT_TRUE(safe_to_retry(f));
    }
  }
  expect_recovery();
}

/// A cancel takes a descriptor of its own.
TEST_F(FaultPlaces, ForDescriptorsThatACancelNeedsAreWaitedFor) {
  open([](options& how) {
    how.databases[0].pool.max_size = 1;
    how.databases[0].cancel_wait_timeout = 1min;
  });
  const auto pid = backend_pid();
  auto x = run_later(endless(), 200ms);
  {
    const no_descriptors now;
    EXPECT_EQ(x.get().failure.value().code, errc::deadline_exceeded);
    EXPECT_EQ(stats().cancelling, 1u);
  }
  EXPECT_EQ(backend_pid(), pid) << "its connection was destroyed";
  expect_recovery();
}

} // namespace
