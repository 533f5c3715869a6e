// SPDX-License-Identifier: BSD-3-Clause
//
// What libpq is told: the time that it has for connecting, as the pool counts on it, and the encoding.

#include "sheaf/backend/postgresql/url.hpp"

#include <gmock/gmock.h>

namespace {

using namespace sheaf;
using namespace std::chrono_literals;
using testing::AnyOf;
using testing::HasSubstr;
using testing::Not;

connection_parameters parsed(const std::string& url) { return parse_postgresql_url(url).value(); }

TEST(PostgresqlUrl, TriesEachHostForTenSecondsUnlessToldOtherwise) {
  EXPECT_EQ(total_connect_timeout(parsed("host=a")), 10s);
  EXPECT_EQ(total_connect_timeout(parsed("host=a,b,c port=1,2,3")), 30s);
  EXPECT_EQ(total_connect_timeout(parsed("postgresql://a,b/db?connect_timeout=7")), 14s);
  EXPECT_EQ(total_connect_timeout(parsed("hostaddr=127.0.0.1,127.0.0.2 connect_timeout=1")), 4s);
  EXPECT_EQ(total_connect_timeout(parsed("host=a connect_timeout=0")), 10s);
  EXPECT_EQ(total_connect_timeout(parsed("host=a connect_timeout=x")), 10s);
}

TEST(PostgresqlUrl, TellsLibpqTheSameForEachHost) {
  EXPECT_THAT(to_url(parsed("host=a,b,c")), HasSubstr("connect_timeout=10"));
  EXPECT_THAT(to_url(parsed("host=a connect_timeout=7")), HasSubstr("connect_timeout=7"));
  EXPECT_THAT(to_url(parsed("host=a connect_timeout=0")), HasSubstr("connect_timeout=10"));
  EXPECT_THAT(to_url(parsed("host=a connect_timeout=0")), Not(HasSubstr("connect_timeout=0")));
}

TEST(PostgresqlUrl, IsAlwaysForUtf8) {
  for (const auto* url : {"postgresql://a/db", "postgresql://a/db?client_encoding=LATIN1",
                          "host=a client_encoding=LATIN1", "host=a client_encoding='auto'"}) {
    EXPECT_THAT(to_url(parsed(url)), HasSubstr("client_encoding=UTF8")) << url;
    EXPECT_THAT(to_url(parsed(url)), Not(AnyOf(HasSubstr("LATIN1"), HasSubstr("auto")))) << url;
  }
}

} // namespace
