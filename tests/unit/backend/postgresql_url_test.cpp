// SPDX-License-Identifier: BSD-3-Clause
//
// What is read from a URL and what goes to libpq: times, passwords, the encoding, and values that were filled in.

#include "sheaf/backend/postgresql/url.hpp"

#include <gmock/gmock.h>

namespace {

using namespace sheaf;
using namespace std::chrono_literals;
using testing::AllOf;
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

TEST(PostgresqlUrl, GoesOnWithoutOneOfItsHosts) {
  const auto without = [](const char* url, const char* host, const char* port) {
    auto x = parsed(url);
    return leave_out(x, host, port) ? to_url(x) : "";
  };
  EXPECT_THAT(without("host=a,b,c port=1,2,3", "b", "2"), AllOf(HasSubstr("host=a%2Cc&"), HasSubstr("port=1%2C3&")));
  EXPECT_THAT(without("host=a,a,c port=1,2,3", "a", "2"), AllOf(HasSubstr("host=a%2Cc&"), HasSubstr("port=1%2C3&")));
  EXPECT_THAT(without("host=a,b port=7", "a", "7"), AllOf(HasSubstr("host=b&"), HasSubstr("port=7&")));
  EXPECT_THAT(without("host=a,b hostaddr=::1,::2", "b", "5432"),
              AllOf(HasSubstr("host=a&"), HasSubstr("hostaddr=%3A%3A1&")));
  EXPECT_THAT(without("hostaddr=::1,::2", "::1", "5432"), HasSubstr("hostaddr=%3A%3A2&"));
  EXPECT_EQ(without("host=a port=1", "a", "1"), "");
  EXPECT_EQ(without("host=a,b", "c", "5432"), "");
  EXPECT_EQ(without("user=a", "/var/run/postgresql", "5432"), "");
}

TEST(PostgresqlUrl, IsAlwaysForUtf8) {
  for (const auto* url : {"postgresql://a/db", "postgresql://a/db?client_encoding=LATIN1",
                          "host=a client_encoding=LATIN1", "host=a client_encoding='auto'"}) {
    EXPECT_THAT(to_url(parsed(url)), HasSubstr("client_encoding=UTF8")) << url;
    EXPECT_THAT(to_url(parsed(url)), Not(AnyOf(HasSubstr("LATIN1"), HasSubstr("auto")))) << url;
  }
}

/// libpq would take these apart where their password has an `@` or a `/`, and errors would show the pieces.
TEST(PostgresqlUrl, IsRefusedWhereAPieceOfAPasswordWouldBeAnotherField) {
  for (const char* url :
       {"postgresql://marvin:hunter2@tail@host/db", "postgresql://marvin:hunter2/tail@host/db",
        "postgresql://marvin:5432/tail@host/db", "postgres://marvin:hunter2@a/b@host/db", "postgresql://marvin:hunter2",
        "host=marvin:hunter2@host", "host=a,b@c", "port=hunter2", "hostaddr=hunter2",
        "dbname=postgresql://marvin:hunter2@host/db", "host=postgresql://marvin:hunter2", "host=a;password=hunter2",
        "host=a,password=hunter2 port=1", "postgresql://marvin@host&password=hunter2/db"}) {
    const auto refused = parse_postgresql_url(url);
    ASSERT_TRUE(refused.has_error()) << url;
    EXPECT_EQ(refused.error().code, errc::invalid_request);
    EXPECT_THAT(refused.error().message, testing::AllOf(HasSubstr("%40"), Not(HasSubstr("hunter2")))) << url;
  }
  for (const char* url : {"postgresql://marvin:hunter2%40tail@host/db", "postgresql://host/db?user=a@b",
                          "postgresql://marvin%40cloud:x@[::1]:5432,b/db", "postgresql:///db?host=@abstract",
                          "host=/var/run/postgresql,@abstract port=1,2", "hostaddr=::1,127.0.0.1 user=a@b"})
    EXPECT_TRUE(parse_postgresql_url(url).has_value()) << url;
}

TEST(PostgresqlUrl, TellsWhatNoMessageMayRepeat) {
  const auto all = parsed("host=h password=hunter2 sslpassword=more");
  const auto secrets = secrets_of(all);
  ASSERT_EQ(secrets.size(), 2u);
  EXPECT_EQ(secrets[0].name, "password");
  EXPECT_EQ(secrets[0].text, "hunter2");
  EXPECT_EQ(secrets[1].text, "more");
}

/// A password may stand where another sign was meant to end a user or a database.
TEST(PostgresqlUrl, TellsOfNoUserOrDatabaseThatMayHoldAPassword) {
  for (const char* url : {"postgresql://host/db&password=hunter2", "postgresql://host/db;password=hunter2",
                          "postgresql://host/db:hunter2", "postgresql://marvin%3Ahunter2@host/db",
                          "postgresql://host/db%3Fpassword=hunter2", "user=marvin,password=hunter2",
                          "user=marvin:hunter2", "dbname='db password=hunter2'"}) {
    const auto all = parsed(url);
    const auto secrets = secrets_of(all);
    ASSERT_EQ(secrets.size(), 1u) << url;
    EXPECT_THAT(std::string{secrets[0].text}, HasSubstr("hunter2")) << url;
  }
  EXPECT_TRUE(secrets_of(parsed("postgresql://marvin%40cloud@host/my-db.2")).empty());
}

/// The parameters of a URL with a value filled in.
connection_parameters joined(const std::vector<std::string>& texts, const std::vector<std::string>& values) {
  return parsed(join_postgresql_url(texts, values));
}

constexpr const char* odd_values[] = {
    "p@ss/wo:rd?host=evil#%41 &x", "x host=evil", "it's \\ 'quoted'", " ", "", "tab\there", "größe"};

TEST(PostgresqlUrl, KeepsAFilledInValueInItsPlace) {
  using testing::Contains;
  using testing::Pair;
  for (const std::string value : odd_values) {
    const auto has_it =
        testing::AllOf(Contains(Pair("host", "h")), Contains(Pair("dbname", "d")), Contains(Pair("password", value)));
    const auto in_url = joined({"postgresql://u:", "@h/d"}, {value});
    if (!value.empty()) { // an empty one is none in a URL
      EXPECT_THAT(in_url, has_it) << value;
    }
    EXPECT_THAT(joined({"postgresql://h/d?password=", "&user=u"}, {value}), has_it) << value;
    EXPECT_THAT(joined({"password=", " host=h dbname=d"}, {value}), has_it) << value;
    EXPECT_THAT(joined({"host=h dbname=d password = ", ""}, {value}), has_it) << value;
    EXPECT_THAT(joined({"host=h dbname=d password='", "'"}, {value}), has_it) << value;
  }
  EXPECT_THAT(joined({"host=", ".example dbname=d"}, {"a b"}), Contains(Pair("host", "a b.example")));
}

TEST(PostgresqlUrl, IsTheVariableItBeginsWith) {
  EXPECT_EQ(join_postgresql_url({"", ""}, {"postgresql://u:p@h/d"}), "postgresql://u:p@h/d");
  EXPECT_EQ(join_postgresql_url({"", "?application_name=", ""}, {"postgresql://u:p@h/d", "a&b"}),
            "postgresql://u:p@h/d?application_name=a%26b");
}

} // namespace
