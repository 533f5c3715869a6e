// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/base/redaction.hpp"

#include <gmock/gmock.h>

namespace sheaf {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

/// What stays of a message that met this value of `:x`.
std::string met(std::string_view value, std::string_view message, repeats how = repeats::nothing,
                std::string_view sql = {}) {
  return redacted(message, {.secrets = {{":x", value}}, .names = {"book_pkey"}, .sql = sql, .repeats = how});
}

TEST(Redaction, PutsTheParametersNameWhereItsValueStood) {
  EXPECT_EQ(met("hunter2", "refused: hunter2"), "refused: ‹:x›");
  EXPECT_EQ(met("hunter2", "relation \"hunter2\" does not exist"), "relation \"‹:x›\" does not exist");
  EXPECT_EQ(met("my.own.long.table.name", "too many dotted names: my.own.long.table.name"),
            "too many dotted names: ‹:x›");
  EXPECT_EQ(met("hunter2", "nothing of it"), "nothing of it");
}

TEST(Redaction, NamesTheParameterWhoseValueItIs) {
  const redaction how{.secrets = {{":user", "marvin"}, {":key", "hunter2"}}};
  EXPECT_EQ(redacted("marvin may not use 'hunter2'", how), "‹:user› may not use '‹:key›'");
}

TEST(Redaction, TakesNoHeedOfCaseAndLineEnds) {
  EXPECT_EQ(met("HUNTER2", "relation \"hunter2\" does not exist"), "relation \"‹:x›\" does not exist");
  EXPECT_EQ(met("first line\nsecond", "refused: first line second"), "refused: ‹:x›");
}

TEST(Redaction, ReadsTheQuotesOfEveryLanguage) {
  EXPECT_EQ(met("my hunter2", "Relation »hunter2« existiert nicht"), "Relation »‹:x›« existiert nicht");
  EXPECT_EQ(met("my hunter2", "la relation « hunter2 » n'existe pas"), "la relation «‹:x›» n'existe pas");
  EXPECT_EQ(met("my hunter2", "отношение «hunter2» не существует"), "отношение «‹:x›» не существует");
  EXPECT_EQ(met("my hunter2", "relacja „hunter2” nie istnieje"), "relacja „‹:x›” nie istnieje");
  EXPECT_EQ(met("my hunter2", "Verhältnis „hunter2“ fehlt"), "Verhältnis „‹:x›“ fehlt");
  EXPECT_EQ(met("my hunter2", "关系 “hunter2” 不存在"), "关系 “‹:x›” 不存在");
  EXPECT_EQ(met("hunter2", "リレーション\"hunter2\"は存在しません"), "リレーション\"‹:x›\"は存在しません");
  EXPECT_EQ(met("hunter2", "値hunter2は範囲外です"), "値‹:x›は範囲外です");
}

TEST(Redaction, FindsPiecesOfAValue) {
  EXPECT_EQ(met(R"({"a": hunter2})", "Token \"hunter2\" is invalid."), "Token \"‹:x›\" is invalid.");
  EXPECT_EQ(met("a long secret, cut", "refused: long secret"), "refused: ‹:x›");
  EXPECT_THAT(met("the secret of hunter2", "it has to do with secret of hunt…"), Not(HasSubstr("secret")));
  EXPECT_EQ(met("\\xhunter2", "invalid hexadecimal digit: \"h\"", repeats::input),
            "invalid hexadecimal digit: \"‹:x›\"");
  // A run goes to the ends of its words: what a server has made of the rest is a piece, too.
  EXPECT_EQ(met("straße-geheimnis", "refused: STRASSE-GEHEIMNIS"), "refused: ‹:x›");
}

TEST(Redaction, FindsThePieceThatAServerHasCut) {
  EXPECT_EQ(met("tiger!", "JSON data, line 1: tiger...", repeats::input), "JSON data, line 1: ‹:x›");
  EXPECT_THAT(met("{\"a\": hunter-2!", "JSON data, line 1: ...hunter-2...", repeats::input), Not(HasSubstr("hunter")));
}

TEST(Redaction, IsNotMisledByQuotationMarksOfAValue) {
  for (const auto& [value, said] : std::initializer_list<std::pair<const char*, const char*>>{
           {"\"tiger", "invalid input syntax for type integer: \"\"tigerz\""},
           {"\"tiger\"", "invalid input syntax for type integer: \"\"tiger\"\""},
           {"[\"Zq7x\", KvPw", "invalid input syntax for type integer: \"[\"Zq7x\""},
           {"[\"Zq7x\", KvPw", "invalid input syntax for type integer: \"[\"Zq7x\"\""},
           {"a\"Zq7x\"tiger", "invalid input syntax for type integer: \"a\"Zq7x\"tig\""}}) {
    const auto told = met(value, said, repeats::input);
    for (const auto* piece : {"tig", "Zq7x", "KvPw"})
      EXPECT_THAT(told, Not(HasSubstr(piece))) << said;
    EXPECT_THAT(told, HasSubstr("invalid input syntax for type integer: \"")) << said;
  }
}

TEST(Redaction, TakesAMessageForAValueThatIsNothingElse) {
  EXPECT_EQ(met("a", "a"), "‹:x›");
  EXPECT_EQ(met("of", " of\n"), " ‹:x›\n");
}

TEST(Redaction, LeavesAMessageLegibleWhereAValueIsShort) {
  for (const char* value : {"a", "of", "not", "e", " ", "-", "%"})
    EXPECT_EQ(met(value, "value is out of range, not a number - 5 %"), "value is out of range, not a number - 5 %");
  EXPECT_EQ(met("1", "element 1 of 12 is wrong"), "element ‹:x› of 12 is wrong");
  EXPECT_EQ(met("a", "relation \"a\" does not exist"), "relation \"‹:x›\" does not exist");
  EXPECT_EQ(met("a", "refused: a"), "refused: ‹:x›");
  EXPECT_EQ(met("able", "unavailable"), "unavailable");
  EXPECT_EQ(met("", "relation \"\" is empty"), "relation \"\" is empty");
}

TEST(Redaction, KeepsNamesThatTheServerTells) {
  EXPECT_EQ(met("a book_pkey b", "violates unique constraint \"book_pkey\""), "violates unique constraint \"‹:x›\"")
      << "it holds a long run";
  EXPECT_EQ(redacted("violates \"pkey\"", {.secrets = {{":x", "a pkey"}}, .names = {"pkey"}}), "violates \"pkey\"");
  EXPECT_EQ(redacted("violates \"pkey\"", {.secrets = {{":x", "a pkey"}}}), "violates \"‹:x›\"");
}

TEST(Redaction, DropsWhatElseMayBeInput) {
  EXPECT_EQ(met("other", "invalid input syntax: \"derived\"", repeats::input), "invalid input syntax: \"…\"");
  EXPECT_EQ(met("other", "invalid input syntax: \"derived\""), "invalid input syntax: \"derived\"");
  EXPECT_EQ(met("other", "malformed: \"{\"a\": \"b\"}\" at end", repeats::input), "malformed: \"…\" at end");
  EXPECT_EQ(met("777", "field value out of range: 777-13-45", repeats::input), "field value out of range: ‹:x›-13-45");
  EXPECT_EQ(met("other", "field value out of range: 777-13-45", repeats::input), "field value out of range: …");
  EXPECT_EQ(met("hunter2", "invalid value for \"work_mem\": \"hunter2\"", repeats::input,
                "select set_config('work_mem', $1, true)"),
            "invalid value for \"work_mem\": \"‹:x›\"");
  EXPECT_EQ(met("x(((", "invalid regular expression: parentheses () not balanced", repeats::input),
            "invalid regular expression: parentheses () not balanced");
}

TEST(Redaction, KeepsTheNameOfAnEncodingAndDropsBytes) {
  EXPECT_EQ(met("\xe4", "invalid byte sequence for encoding \"UTF8\": 0xe4 0x20", repeats::bytes),
            "invalid byte sequence for encoding \"UTF8\": … …");
}

TEST(Redaction, TakesLongMessagesAndValuesInItsStride) {
  std::string value(3 << 20, 'a');
  value += "hunter2 and more";
  const auto said = met(value, "invalid: \"" + value + "\"", repeats::input);
  EXPECT_LT(said.size(), 100u) << said;
  EXPECT_EQ(met(value, "refused: hunter2 and"), "refused: ‹:x›");
  EXPECT_THAT(met("hunter2", std::string(4090, '.') + " hunter2"), Not(HasSubstr("hun")));
}

TEST(WithoutValues, HidesWhatMayBeAValue) {
  EXPECT_EQ(without_values("value \"5\" is out of range for type \"t\" or so"), "value \"…\" or so");
  EXPECT_EQ(without_values("Wert »5« ist außerhalb"), "Wert »…« ist außerhalb");
  EXPECT_EQ(without_values("la valeur « 5 » n'est pas"), "la valeur «…» n'est pas");
  EXPECT_EQ(without_values("no such column: x"), "no such column: …");
  EXPECT_EQ(without_values("malformed MATCH expression: [a [b]"), "malformed MATCH expression: […]");
  EXPECT_EQ(without_values("near \"a"), "near \"…");
  EXPECT_EQ(without_values("integer overflow"), "integer overflow");
}

} // namespace
} // namespace sheaf
