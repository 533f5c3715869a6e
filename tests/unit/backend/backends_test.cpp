// SPDX-License-Identifier: BSD-3-Clause
//
// The kind of database that a URL is for.

#include "sheaf/backends.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sheaf {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Backends, EachTakeTheirOwnUrls) {
  for (const auto& [url, name] : std::vector<std::pair<std::string_view, std::string_view>>{
           {"postgresql://ann@host/shop?sslmode=require", "postgresql"},
           {"postgres://", "postgresql"},
           {"host=localhost dbname=shop", "postgresql"},
           {"host = ::1", "postgresql"},
           {"password=a:b", "postgresql"},
           {"options='-c a=b' dbname=sqlite:", "postgresql"},
           {"sqlite:shop.db", "sqlite"},
           {"sqlite:shop.db?mode=rwc", "sqlite"},
           {"sqlite:/a=b/c", "sqlite"},
           {"sqlite:a=b", "sqlite"},
           {"sqlite::memory:", "sqlite"}}) {
    const auto found = backend_for(url);
    ASSERT_TRUE(found) << url;
    EXPECT_EQ((*found)->name(), name) << url;
    for (const auto* x : backends())
      EXPECT_EQ(x->takes(url), x == *found) << url << ' ' << x->name();
  }
}

TEST(Backends, TakeNothingElseAndDoNotRepeatIt) {
  for (const std::string_view url : {"", "shop.db", "mysql://hunter2@host", "mysql:db=hunter2", "hunter2"}) {
    const auto found = backend_for(url);
    ASSERT_FALSE(found) << url;
    EXPECT_EQ(found.error().code, errc::invalid_request);
    EXPECT_THAT(found.error().message, Not(HasSubstr("hunter2")));
  }
}

TEST(Backends, FindAFileFromAnotherFolder) {
  const auto from = [](std::string url) { return (*backend_for(url))->from_folder(url, "/srv"); };
  EXPECT_EQ(from("sqlite:shop.db?mode=ro"), "sqlite:/srv/shop.db?mode=ro");
  EXPECT_EQ(from("sqlite:/shop.db"), "sqlite:/shop.db");
  EXPECT_EQ(from("sqlite::memory:"), "sqlite::memory:");
  EXPECT_EQ(from("host=shop"), "host=shop");
  const auto odd = (*backend_for("sqlite:"))->from_folder("sqlite:%41.db?mode=ro", "/100%41?");
  EXPECT_EQ(odd, "sqlite:/100%2541%3F/%41.db?mode=ro") << "the folder's name is no part of the URL";
}

TEST(Backends, SayWhetherTheyInferTypes) {
  EXPECT_TRUE((*backend_for("host=shop"))->infers_types());
  EXPECT_FALSE((*backend_for("sqlite::memory:"))->infers_types());
}

TEST(Backends, MayBeADatabasesOwn) {
  const database_options d{.url = "nobody's:", .backend = backends().front()};
  EXPECT_EQ(*backend_for(d), backends().front());
  EXPECT_EQ(dialect_of({.url = "nobody's:"}), dialect::postgresql);
}

} // namespace
} // namespace sheaf
