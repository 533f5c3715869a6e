// SPDX-License-Identifier: BSD-3-Clause
//
// The input of the HTTP service: targets, parameters, headers.

#include "app/serve/arguments.hpp"
#include "app/serve/gzip.hpp"
#include "app/serve/target.hpp"
#include "app/serve/time_limit.hpp"
#include "app/serve/trace.hpp"

#include <gmock/gmock.h>

namespace {

using namespace sheaf::app;
using namespace sheaf::app::serve;
using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

TEST(HttpTarget, IsAPathAndNamedValues) {
  const auto x = parse_target("/requests/K%C3%A4se%2Frot?a=1+2&b=%2B&a=&c&&=x");
  ASSERT_TRUE(x);
  EXPECT_EQ(x->path, "/requests/Käse/rot");
  EXPECT_EQ(x->authority, "");
  EXPECT_THAT(x->query,
              ElementsAre(Pair("a", "1 2"), Pair("b", "+"), Pair("a", ""), Pair("c", std::nullopt), Pair("", "x")));
  EXPECT_EQ(parse_target("/a+b")->path, "/a+b") << "a plus sign is a space in the query only";
  EXPECT_EQ(parse_target("*")->path, "*");
  EXPECT_EQ(parse_target("http://here:80/a?b")->authority, "here:80");
  EXPECT_EQ(parse_target("http://here:80/a?b")->path, "/a");
  EXPECT_EQ(parse_target("HTTP://here")->path, "/") << "RFC 9110, section 4.2.3";
  EXPECT_EQ(parse_target("http://here?b")->path, "/");
}

TEST(HttpTarget, IsNothingThatTwoReadersCouldUnderstandInTwoWays) {
  using std::string_view_literals::operator""sv;
  for (const auto text : {""sv,
                          "a"sv,
                          "/%"sv,
                          "/%4"sv,
                          "/%4g"sv,
                          "/%-1"sv,
                          "/%+1"sv,
                          "/%00"sv,
                          "/a?b=%00"sv,
                          "/a\0b"sv,
                          "/a\nb"sv,
                          "/%0a"sv,
                          "/%ff"sv,
                          "/%c0%af"sv,
                          "/a?%ff=1"sv,
                          "http://"sv,
                          "http:///a"sv,
                          "http://a@here/"sv,
                          "http://here:1:2/"sv,
                          "ftp://here/a"sv,
                          "//\x7f"sv})
    EXPECT_FALSE(parse_target(text)) << text;
}

TEST(HttpAuthority, IsAHostAndPerhapsAPort) {
  for (const auto* text :
       {"", "localhost", "localhost:", "localhost:8080", "127.0.0.1:1", "[::1]", "[::1]:65535", "a-b.example"})
    EXPECT_TRUE(is_authority(text)) << text;
  for (const auto* text : {"localhost:80@evil", "a@b", "[::1]evil", "[::1", "::1", "a:b", "a:65536", "a:80:80", ":80",
                           "a/b", "a b", "a?b", "[a.b]g"})
    EXPECT_FALSE(is_authority(text)) << text;
}

TEST(HttpTarget, IsEncodedBack) {
  const std::string name = "Käse/rot & 100 %?#";
  EXPECT_EQ(percent_encoded(name), "K%C3%A4se%2Frot%20%26%20100%20%25%3F%23");
  EXPECT_EQ(percent_decoded(percent_encoded(name), false), name);
}

request_spec with(std::vector<std::pair<std::string, std::string>> parameters) {
  request_spec made;
  for (auto& [name, type] : parameters)
    made.parameters.push_back({.name = name, .type = type});
  return made;
}

TEST(HttpArguments, AreWhatTheFileDeclares) {
  const auto spec = with({{"t", "text"}, {"i", "int"}, {"d", "double"}, {"b", "bool"}, {"x", "bytes"}, {"l", "int[]"}});
  const auto made = type_arguments(
      spec,
      arguments_of(spec, {{"l", "1"}, {"t", "007"}, {"i", "7"}, {"d", "1e3"}, {"b", "t"}, {"x", "\\x00"}, {"l", "2"}}));
  EXPECT_TRUE(made.bad.empty());
  ASSERT_EQ(made.values.size(), 6);
  const std::string expected[] = {"007", "7", "1000", "t", "\\x00", "{1,2}"};
  for (std::size_t i = 0; i < made.values.size(); ++i) {
    std::string text;
    sheaf::append_postgresql_text(text, made.values[i].second);
    EXPECT_EQ(text, expected[i]) << made.values[i].first;
  }
}

TEST(HttpArguments, AreNullWithoutAnEqualsSign) {
  const auto spec = with({{"t", "text"}, {"e", "text"}, {"l", "int[]"}, {"m", "int[]"}});
  const auto made = type_arguments(spec, arguments_of(spec, parse_target("/?t&e=&l&m=1&m")->query));
  EXPECT_TRUE(made.bad.empty());
  ASSERT_EQ(made.values.size(), 4);
  EXPECT_TRUE(made.values[0].second.is_null());
  EXPECT_FALSE(made.values[1].second.is_null()) << "an empty text";
  EXPECT_TRUE(made.values[2].second.is_null()) << "no list at all";
  std::string text;
  sheaf::append_postgresql_text(text, made.values[3].second);
  EXPECT_EQ(text, "{1,NULL}");
}

TEST(HttpArguments, AreRefusedByName) {
  const auto spec = with({{"t", "text"}, {"i", "int"}, {"d", "double"}, {"l", "int[]"}});
  const auto json = parse_json_arguments(R"({"t": 1, "i": "x", "d": "nan", "l": 3})");
  ASSERT_TRUE(json.has_value());
  const auto made = type_arguments(spec, *json);
  std::vector<std::string> names;
  for (const auto& x : made.bad)
    names.push_back(x.name + ": " + x.reason);
  EXPECT_THAT(names, ElementsAre("t: text takes text", "i: int takes a whole number of 64 bits",
                                 "d: double takes a number", "l: int[] takes a list"));
  const auto nul = type_arguments(with({{"t", "text"}}), parse_json_arguments(R"({"t": "a\u0000"})").value());
  ASSERT_EQ(nul.bad.size(), 1);
  EXPECT_EQ(nul.bad.front().reason, "it holds a NUL character, which no database takes as text");
  EXPECT_EQ(type_arguments(spec, {}).bad.size(), 4) << "missing";
  EXPECT_EQ(type_arguments(with({}), arguments_of(with({}), {{"a", "1"}, {"a", "2"}})).bad.size(), 1) << "unknown";
}

TEST(HttpJson, KeepsNumbersAsTheyAreWritten) {
  const auto x = parse_json_arguments(R"({"a": 9007199254740993, "b": 0.1000000000000000055511151231257827,
                                         "c": -0, "d": 12345678901234567890123, "e": [1.50, null, true, "x"]})");
  ASSERT_TRUE(x.has_value());
  ASSERT_EQ(x->size(), 5);
  EXPECT_EQ((*x)[0].values[0].text, "9007199254740993");
  EXPECT_EQ((*x)[1].values[0].text, "0.1000000000000000055511151231257827");
  EXPECT_EQ((*x)[2].values[0].text, "-0");
  EXPECT_EQ((*x)[3].values[0].text, "12345678901234567890123");
  EXPECT_TRUE((*x)[4].is_list);
  EXPECT_EQ((*x)[4].values[0].text, "1.50");
  EXPECT_EQ((*x)[4].values[1].is, given_value::kind::null);
  EXPECT_EQ((*x)[4].values[2].is, given_value::kind::boolean);
  EXPECT_EQ((*x)[4].values[3].is, given_value::kind::text);
}

TEST(HttpJson, SaysWhyItIsRefused) {
  EXPECT_THAT(parse_json_arguments(R"({"a": 1, "a": 2})").error().message, HasSubstr("twice"));
  EXPECT_THAT(parse_json_arguments("[]").error().message, HasSubstr("object"));
  EXPECT_THAT(parse_json_arguments(R"({"a": [[]]})").error().message, HasSubstr("list"));
  EXPECT_THAT(parse_json_arguments(R"({"a": {}})").error().message, HasSubstr("object"));
  EXPECT_THAT(parse_json_arguments("{").error().message, HasSubstr("not JSON"));
  EXPECT_TRUE(parse_json_arguments("").has_error());
  EXPECT_TRUE(parse_json_arguments("{}").has_value());
}

TEST(HttpTimeLimit, IsAsGrpcWritesIt) {
  EXPECT_EQ(parse_grpc_timeout("1H").value(), 1h);
  EXPECT_EQ(parse_grpc_timeout("2M").value(), 2min);
  EXPECT_EQ(parse_grpc_timeout("3S").value(), 3s);
  EXPECT_EQ(parse_grpc_timeout("4m").value(), 4ms);
  EXPECT_EQ(parse_grpc_timeout("5u").value(), 5us);
  EXPECT_EQ(parse_grpc_timeout("6n").value(), 6ns);
  EXPECT_GT(parse_grpc_timeout("99999999H").value(), 1h) << "does not overflow";
  for (const auto* text : {"", "1", "S", "1s", "0S", "-1S", "+1S", "1.5S", "123456789n", "1 S", "1SS"})
    EXPECT_TRUE(parse_grpc_timeout(text).has_error()) << text;
}

TEST(HttpTrace, GoesOnOnlyWhenItIsValid) {
  const std::string valid = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  EXPECT_EQ(continue_trace(valid).id, valid.substr(3, 32));
  EXPECT_NE(continue_trace(valid).span, valid.substr(36, 16));
  EXPECT_EQ(continue_trace(valid).header().substr(53), "01");
  EXPECT_EQ(continue_trace("cc" + valid.substr(2) + "-more").id, valid.substr(3, 32)) << "a version to come";
  for (const std::string& text :
       std::vector<std::string>{valid + "-more", valid.substr(1), "ff" + valid.substr(2), valid.substr(0, 54) + "g",
                                "00-00000000000000000000000000000000-b7ad6b7169203331-01",
                                "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
                                "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01", std::string{}}) {
    const auto made = continue_trace(text);
    EXPECT_NE(made.id, valid.substr(3, 32)) << text;
    EXPECT_EQ(made.header().size(), valid.size());
    EXPECT_NE(made.id, continue_trace(text).id);
  }
}

TEST(HttpRequestId, IsTheCallersWhenThatIsHarmless) {
  EXPECT_EQ(request_id("order-4711/a"), "order-4711/a");
  EXPECT_EQ(request_id(std::string(128, 'x')), std::string(128, 'x'));
  for (const auto& bad : {std::string{}, std::string(129, 'x'), std::string{"a b"}, std::string{"a\"b"},
                          std::string{"a\\b"}, std::string{"a\x7f"}, std::string{"ä"}})
    EXPECT_NE(request_id(bad), bad);
}

TEST(HttpGzip, IsTakenWhereItsWeightSaysSo) {
  for (const auto* text : {"gzip", "GZip", "x-gzip", "br, gzip", "gzip;q=0.5", "*", "*;q=0.1", "identity;q=0.5, gzip",
                           "gzip ; q=1.0 , br"})
    EXPECT_TRUE(takes_gzip(text)) << text;
  for (const auto* text : {"", "br", "gzip;q=0", "gzip;q=0.000", "identity", "*;q=0", "*, gzip;q=0", "gzip;q=2",
                           "gzip;q=x", "gzip;level=1", "identity, gzip;q=0.5", "gzipped"})
    EXPECT_FALSE(takes_gzip(text)) << text;
}

} // namespace
