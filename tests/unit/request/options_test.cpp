// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/options.hpp"

#include <gtest/gtest.h>

#include <functional>

namespace sheaf {
namespace {

using namespace std::chrono_literals;

/// The error in good options after `spoil`.
std::string complaint(const std::function<void(options&)>& spoil) {
  auto how = for_database("sqlite:books");
  spoil(how);
  const auto wrong = how.validate();
  if (!wrong)
    return {};
  EXPECT_EQ(wrong->code, errc::invalid_request);
  return wrong->message;
}

TEST(Options, AreGoodByDefault) {
  const auto how = for_database("sqlite:books", {.max_size = 3});
  ASSERT_EQ(how.databases.size(), 1u);
  EXPECT_EQ(how.databases[0].name, "main");
  EXPECT_EQ(how.databases[0].url, "sqlite:books");
  EXPECT_EQ(how.databases[0].pool.max_size, 3u);
  EXPECT_FALSE(how.validate());
}

TEST(Options, NeedADatabase) { EXPECT_EQ(options{}.validate()->message, "databases is empty; add one"); }

TEST(Options, NeedANameOfItsOwnForEachDatabase) {
  EXPECT_EQ(complaint([](options& x) { x.databases[0].name.clear(); }), "name of database 1 is empty; give it one");
  EXPECT_EQ(complaint([](options& x) { x.databases.push_back(x.databases[0]); }),
            "name \"main\" is given to two databases; rename one");
  EXPECT_EQ(complaint([](options& x) {
              x.databases.push_back(x.databases[0]);
              x.databases[1].name = "other";
            }),
            "");
}

TEST(Options, NeedAUrl) {
  EXPECT_EQ(complaint([](options& x) { x.databases[0].url.clear(); }),
            "database \"main\": url is empty; set it to postgresql://… or sqlite:path");
  EXPECT_EQ(complaint([](options& x) { x.databases[0].url += '\0'; }),
            "database \"main\": url holds a NUL character; remove it");
}

TEST(Options, NameTheLimitItsValueAndItsRange) {
  EXPECT_EQ(complaint([](options& x) { x.databases[0].pool.max_size = 0; }),
            "database \"main\": pool.max_size is 0; set it to between 1 and 262143");
  EXPECT_EQ(complaint([](options& x) { x.databases[0].pool.acquire_timeout = -250ms; }),
            "database \"main\": pool.acquire_timeout is -250ms; set it to between 1ns and 87600h");
  EXPECT_EQ(complaint([](options& x) { x.deadline = 0s; }), "deadline is 0s; set it to between 1ns and 87600h");
  EXPECT_EQ(complaint([](options& x) { x.loops = 65; }), "loops is 65; set it to between 1 and 64");
}

TEST(Options, RefuseWhatIsOutOfBounds) {
  const std::pair<std::string_view, std::function<void(options&)>> spoilers[] = {
      {"pool.max_size", [](options& x) { x.databases[0].pool.max_size = std::size_t(-1); }},
      {"pool.max_queue_size", [](options& x) { x.databases[0].pool.max_queue_size = 0; }},
      {"pool.max_queue_size", [](options& x) { x.databases[0].pool.max_queue_size = std::size_t(-1); }},
      {"pool.acquire_timeout", [](options& x) { x.databases[0].pool.acquire_timeout = 0ns; }},
      {"pool.acquire_timeout",
       [](options& x) { x.databases[0].pool.acquire_timeout = std::chrono::nanoseconds::max(); }},
      {"pool.connecting_limit", [](options& x) { x.databases[0].pool.connecting_limit = 0; }},
      {"statement_cache_size", [](options& x) { x.databases[0].statement_cache_size = std::size_t(-1); }},
      {"cancel_wait_timeout", [](options& x) { x.databases[0].cancel_wait_timeout = -1ns; }},
      {"deadline", [](options& x) { x.deadline = -1s; }},
      {"deadline", [](options& x) { x.deadline = std::chrono::nanoseconds::max(); }},
      {"max_rows", [](options& x) { x.max_rows = 0; }},
      {"max_rows", [](options& x) { x.max_rows = std::size_t(-1); }},
      {"max_bytes", [](options& x) { x.max_bytes = 0; }},
      {"max_bytes", [](options& x) { x.max_bytes = std::size_t(-1); }},
      {"loops", [](options& x) { x.loops = 0; }},
  };
  for (const auto& [name, spoil] : spoilers)
    EXPECT_NE(complaint(spoil).find(std::string{name} + " is "), std::string::npos) << name << ": " << complaint(spoil);
}

TEST(Options, AllowWhatIsUnusualButSane) {
  EXPECT_EQ(complaint([](options& x) { x.databases[0].statement_cache_size = 0; }), "");
  EXPECT_EQ(complaint([](options& x) { x.width = 1'000'000; }), "");
  EXPECT_EQ(complaint([](options& x) { x.deadline = 10 * 365 * 24h; }), "");
  EXPECT_EQ(complaint([](options& x) { x.loops = x.databases[0].pool.max_size = 64; }), "");
}

TEST(Options, HaveASessionAndAPlaceInTheQueueForEachLoop) {
  EXPECT_EQ(complaint([](options& x) { x.loops = 11; }),
            "database \"main\": pool.max_size is 10, less than loops, which is 11; raise it or lower loops");
  EXPECT_EQ(complaint([](options& x) {
              x.loops = 2;
              x.databases[0].pool.max_queue_size = 1;
            }),
            "database \"main\": pool.max_queue_size is 1, less than loops, which is 2; raise it or lower loops");
}

TEST(Options, KeepTheUrlToThemselves) {
  const auto said = complaint([](options& x) {
    x.databases[0].url = "postgresql://me:geheim@host/db";
    x.databases[0].pool.max_size = 0;
  });
  EXPECT_NE(said, "");
  EXPECT_EQ(said.find("geheim"), said.npos);
}

} // namespace
} // namespace sheaf
