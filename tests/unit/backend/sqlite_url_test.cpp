// SPDX-License-Identifier: BSD-3-Clause
//
// SQLite URLs: the file, and its allowed uses.

#include "sheaf/backend/sqlite/url.hpp"

#include <gtest/gtest.h>

#include <filesystem>

namespace {

using namespace sheaf;

sqlite_url good(std::string_view url) { return parse_sqlite_url(url).value(); }

failure bad(std::string_view url) {
  auto parsed = parse_sqlite_url(url);
  EXPECT_TRUE(parsed.has_error()) << url;
  if (!parsed.has_error())
    return {};
  EXPECT_EQ(parsed.error().code, errc::invalid_request) << url;
  return parsed.error();
}

TEST(SqliteUrl, TakesAbsolutePathsWithOneSlashOrThree) {
  EXPECT_EQ(good("sqlite:/var/a.db").path, "/var/a.db");
  EXPECT_EQ(good("sqlite:///var/a.db").path, "/var/a.db");
  EXPECT_EQ(good("sqlite:////var/a.db").path, "//var/a.db");
}

TEST(SqliteUrl, TakesRelativePathsFromTheCurrentFolder) {
  EXPECT_EQ(good("sqlite:data/a.db").path, (std::filesystem::current_path() / "data/a.db").string());
}

TEST(SqliteUrl, NeedsTheFileUnlessToldOtherwise) {
  EXPECT_EQ(good("sqlite:/a").mode, sqlite_mode::rw);
  EXPECT_EQ(good("sqlite:/a?").mode, sqlite_mode::rw);
  EXPECT_EQ(good("sqlite:/a?mode=rw").mode, sqlite_mode::rw);
  EXPECT_EQ(good("sqlite:/a?mode=ro").mode, sqlite_mode::ro);
  EXPECT_EQ(good("sqlite:/a?mode=rwc").mode, sqlite_mode::rwc);
  EXPECT_EQ(good("sqlite:/a?mode=memory").mode, sqlite_mode::memory);
  EXPECT_EQ(good("sqlite::memory:").mode, sqlite_mode::memory);
  EXPECT_EQ(good("sqlite::memory:?mode=memory").mode, sqlite_mode::memory);
}

TEST(SqliteUrl, OnlyReadsAnImmutableFile) {
  EXPECT_FALSE(good("sqlite:/a?mode=ro").immutable);
  for (const auto* url : {"sqlite:/a?immutable=1", "sqlite:/a?mode=ro&immutable=1", "sqlite:/a?immutable=1&mode=ro"}) {
    EXPECT_TRUE(good(url).immutable) << url;
    EXPECT_EQ(good(url).mode, sqlite_mode::ro) << url;
  }
  EXPECT_NE(bad("sqlite:/a?immutable=1&mode=rw").message.find("only read"), std::string::npos);
  EXPECT_NE(bad("sqlite:/a?immutable=yes").message.find("immutable=1"), std::string::npos);
  bad("sqlite:/a?mode=rwc&immutable=1");
  bad("sqlite:/a?mode=memory&immutable=1");
  bad("sqlite::memory:?immutable=1");
}

TEST(SqliteUrl, DecodesPercentEscapesWhereverTheyAre) {
  for (const std::string settings : {"", "?", "?mode=ro"})
    EXPECT_EQ(good("sqlite:/a%20b%3F%25%c3%A9%2541.db" + settings).path, "/a b?%\xc3\xa9%41.db") << settings;
}

TEST(SqliteUrl, TakesEveryOtherCharacterAsItIs) {
  for (const std::string settings : {"", "?", "?mode=ro"})
    for (const std::string path : {"/a b#=&'\".db", "/100%", "/100%4", "/100%.db", "/100%%4g", "/%-1", "/%+1", "/% 1"})
      EXPECT_EQ(good("sqlite:" + path + settings).path, path) << settings;
}

TEST(SqliteUrl, RefusesWhatItDoesNotKnowAndNamesWhatItKnows) {
  EXPECT_NE(bad("sqlite:/a?cache=shared").message.find("mode=ro|rw|rwc|memory"), std::string::npos);
  EXPECT_NE(bad("sqlite:/a?mode=create").message.find("ro, rw, rwc and memory"), std::string::npos);
  bad("sqlite:/a?mode");
  bad("sqlite:/a?mode=ro&mode=rw");
  bad("sqlite:/a?mode=ro&x=1");
  bad("sqlite:/a?&mode=ro");
  bad("sqlite::memory:?mode=rwc");
}

TEST(SqliteUrl, RefusesPathsThatMeanNothing) {
  bad("sqlite:");
  bad("sqlite:?mode=rwc");
  bad("sqlite://host/a.db");
  bad("sqlite://a.db");
  bad("sqlite:/a%00b");
  bad("sqlite:/a%00b?mode=ro");
  bad(std::string_view{"sqlite:/a\0b", 11});
  bad("postgresql://x");
}

TEST(SqliteUrl, NeverRepeatsItself) {
  for (const auto* url : {"sqlite://hunter2/a", "sqlite:/a?hunter2=1", "sqlite:/a?mode=hunter2", "sqlite:/hunter2%00"})
    EXPECT_EQ(bad(url).message.find("hunter2"), std::string::npos) << url;
}

TEST(SqliteUrl, BecomesAUriOfPlainCharacters) {
  EXPECT_EQ(sqlite_uri({.path = "/a b?%#='\".db", .mode = sqlite_mode::rwc}, "m"),
            "file:///a%20b%3f%25%23%3d%27%22.db?mode=rwc");
  EXPECT_EQ(sqlite_uri({.path = "//x/\xc3\xa9", .mode = sqlite_mode::ro}, "m"), "file:////x/%c3%a9?mode=ro");
  EXPECT_EQ(sqlite_uri({.path = "/a", .mode = sqlite_mode::ro, .immutable = true}, "m"),
            "file:///a?mode=ro&immutable=1");
  EXPECT_EQ(sqlite_uri({.path = {}, .mode = sqlite_mode::memory}, "m"), "file:/m?vfs=memdb");
}

TEST(SqliteUrl, KeepsAFilledInValueInItsPath) {
  for (const std::string value : {"/a?mode=rwc", "/100%41", "/a b", "/a&b=c", "/%3F?"}) {
    EXPECT_EQ(good(join_sqlite_url({"sqlite:", ""}, {value})).path, value);
    EXPECT_EQ(good(join_sqlite_url({"sqlite:", ""}, {value})).mode, sqlite_mode::rw) << value;
    EXPECT_EQ(good(join_sqlite_url({"sqlite:", "?mode=ro"}, {value})).path, value);
    EXPECT_EQ(good(join_sqlite_url({"sqlite:/100%2541", ""}, {value})).path, "/100%41" + value);
  }
  EXPECT_EQ(good(join_sqlite_url({"sqlite:/%", ""}, {"41"})).path, "/%41") << "what stands before it is no part of it";
  EXPECT_EQ(good(join_sqlite_url({"sqlite:/%4", ""}, {"1"})).path, "/%41");
  EXPECT_EQ(good(join_sqlite_url({"sqlite:/", "1"}, {"%4"})).path, "/%41");
  EXPECT_EQ(good(join_sqlite_url({"", "1"}, {"sqlite:/%4"})).path, "/%41");
  EXPECT_EQ(join_sqlite_url({"sqlite:", ""}, {":memory:"}), "sqlite::memory:");
  EXPECT_EQ(join_sqlite_url({"", ""}, {"sqlite:a.db?mode=rwc"}), "sqlite:a.db?mode=rwc");
  EXPECT_TRUE(parse_sqlite_url(join_sqlite_url({"sqlite:a?mode=", ""}, {"rw&mode=rwc"})).has_error());
}

} // namespace
