// SPDX-License-Identifier: BSD-3-Clause
//
// Expressions: their meaning, their errors with places, their random values; and the nearest word to a mistyped one.

#include "app/base/nearest.hpp"
#include "app/expression/expression.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

namespace sheaf::app {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr auto least = std::numeric_limits<std::int64_t>::min();
constexpr auto most = std::numeric_limits<std::int64_t>::max();

/// A scope of some values; other names are failures without a position.
scope scope_of(std::map<std::string, operand, std::less<>> values) {
  return [values = std::move(values)](std::string_view path) -> result<operand> {
    const auto at = values.find(path);
    if (at == values.end())
      return failure{.code = errc::invalid_request, .message = "no " + std::string{path}};
    return at->second;
  };
}

const scope nothing = scope_of({});

/// The value of an expression that has one.
operand value_of(std::string_view text, const scope& names = nothing, generator* random = nullptr) {
  const auto parsed = expression::parse(text);
  if (!parsed) {
    ADD_FAILURE() << text << ": " << to_string(parsed.error());
    return {};
  }
  const auto out = parsed->evaluate(names, random);
  if (!out) {
    ADD_FAILURE() << text << ": " << to_string(out.error());
    return {};
  }
  return *out;
}

operand whole(std::int64_t x) { return x; }
operand number(double x) { return x; }
operand time(std::chrono::nanoseconds x) { return x; }
operand text(std::string x) { return x; }

/// Position and message of what is wrong with an expression, read or evaluated.
std::string wrong(std::string_view text, const scope& names = nothing, generator* random = nullptr) {
  const auto shown = [](const failure& why) {
    EXPECT_EQ(why.code, errc::invalid_request);
    EXPECT_EQ(why.message.find('\n'), std::string::npos);
    return std::to_string(why.position) + ": " + why.message;
  };
  const auto parsed = expression::parse(text);
  if (!parsed)
    return shown(parsed.error());
  const auto out = parsed->evaluate(names, random);
  return out ? "is " + show(*out) : shown(out.error());
}

/// Says whether `it` is as expected, or what is wrong.
std::string met(std::string_view expectation, operand it, std::map<std::string, operand, std::less<>> others = {}) {
  const auto parsed = expression::parse_expectation(expectation);
  if (!parsed)
    return to_string(parsed.error());
  others["it"] = std::move(it);
  const auto out = parsed->evaluate(scope_of(std::move(others)));
  return out ? show(*out) : to_string(out.error());
}

TEST(Expression, HasLiteralsOfEachKind) {
  EXPECT_EQ(value_of("null"), operand{});
  EXPECT_EQ(value_of("true"), operand{true});
  EXPECT_EQ(value_of("false"), operand{false});
  EXPECT_EQ(value_of("42"), whole(42));
  EXPECT_EQ(value_of("0.5"), number(0.5));
  EXPECT_EQ(value_of("1e3"), number(1000));
  EXPECT_EQ(value_of("2.5e-1"), number(0.25));
  EXPECT_EQ(value_of("250ms"), time(250ms));
  EXPECT_EQ(value_of("1.3s"), time(1300ms));
  EXPECT_EQ(value_of("0s"), time(0s));
  EXPECT_EQ(value_of("10us"), time(10us));
  EXPECT_EQ(value_of("2m"), time(120s));
  EXPECT_EQ(value_of("1h"), time(3600s));
  EXPECT_EQ(value_of("'it''s'"), text("it's"));
  EXPECT_EQ(value_of("\"a\"\"b'\""), text("a\"b'"));
  EXPECT_EQ(value_of("''"), text(""));
}

TEST(Expression, TakesPercentForHundredthsExactly) {
  EXPECT_EQ(value_of("0.1%"), number(0.001));
  EXPECT_EQ(value_of("7%"), number(0.07));
  EXPECT_EQ(value_of("0.07%"), number(0.0007)); // divided by 100 it would be another
  EXPECT_EQ(value_of("100%"), number(1));
  EXPECT_EQ(value_of("1e1%"), number(0.1));
  EXPECT_EQ(value_of("10% * 50"), number(5));
  EXPECT_EQ(wrong("5%3"), "3: a percent sign ends a number; write an operator behind it");
}

TEST(Expression, HoldsAllWholeNumbersOfSixtyFourBits) {
  EXPECT_EQ(value_of("9223372036854775807"), whole(most));
  EXPECT_EQ(value_of("-9223372036854775808"), whole(least));
  EXPECT_EQ(value_of("- 9223372036854775808"), whole(least));
  EXPECT_EQ(wrong("9223372036854775808"),
            "1: a whole number is at most 9223372036854775807; write 9223372036854775808.0");
  EXPECT_THAT(wrong("-9223372036854775809"), HasSubstr("2: a whole number is at most"));
  EXPECT_THAT(wrong("99999999999999999999999"), HasSubstr("1: a whole number is at most"));
  EXPECT_EQ(wrong("-(-9223372036854775808)"), "1: the result is beyond the largest number that can be held");
}

TEST(Expression, BindsProductsBeforeSumsAndThoseBeforeComparisons) {
  EXPECT_EQ(value_of("1 + 2 * 3"), whole(7));
  EXPECT_EQ(value_of("(1 + 2) * 3"), whole(9));
  EXPECT_EQ(value_of("10 - 3 - 2"), whole(5));
  EXPECT_EQ(value_of("24 / 4 / 2"), whole(3));
  EXPECT_EQ(value_of("2 * -3"), whole(-6));
  EXPECT_EQ(value_of("--3"), whole(3));
  EXPECT_EQ(value_of("1-1"), whole(0));
  EXPECT_EQ(value_of("1 + 1 == 4 / 2"), operand{true});
  EXPECT_EQ(value_of("not 1 == 2"), operand{true});
  EXPECT_EQ(value_of("not true or true"), operand{true});
  EXPECT_EQ(value_of("true or true and false"), operand{true});
  EXPECT_EQ(value_of("(true or true) and false"), operand{false});
  EXPECT_EQ(value_of("true or false and false or false"), operand{true});
  EXPECT_EQ(value_of("not not true"), operand{true});
}

TEST(Expression, LooksAtTheRightOfAndAndOrOnlyWhenItMatters) {
  EXPECT_EQ(value_of("false and unknown > 1"), operand{false});
  EXPECT_EQ(value_of("true or unknown > 1"), operand{true});
  EXPECT_EQ(value_of("false and unknown > 1 or true"), operand{true});
  EXPECT_EQ(value_of("false and unknown and unknown"), operand{false});
  EXPECT_EQ(wrong("true and unknown > 1"), "10: no unknown");
  EXPECT_EQ(wrong("false or unknown > 1"), "10: no unknown");
}

TEST(Expression, WantsTrueOrFalseInLogic) {
  EXPECT_THAT(wrong("1 and true"), HasSubstr("3: true or false is needed here, not 1; compare"));
  EXPECT_THAT(wrong("true and 'x'"), HasSubstr("6: true or false is needed here, not 'x'"));
  EXPECT_THAT(wrong("false or null"), HasSubstr("7: true or false is needed here, not null"));
  EXPECT_THAT(wrong("not 1"), HasSubstr("1: true or false is needed here, not 1"));
}

TEST(Expression, DividesWholeNumbersWithoutLosingTheRest) {
  EXPECT_EQ(value_of("6 / 2"), whole(3));
  EXPECT_EQ(value_of("1 / 2"), number(0.5));
  EXPECT_EQ(value_of("-7 / 2"), number(-3.5));
  EXPECT_EQ(value_of("9223372036854775807 / 1"), whole(most));
  EXPECT_EQ(value_of("7 / -1"), whole(-7));
  EXPECT_EQ(value_of("1 / 0.5"), number(2));
}

TEST(Expression, RefusesWhatDoesNotFitAndDivisionByZero) {
  const auto overflow = "the result is beyond the largest number that can be held";
  for (const char* text : {"9223372036854775807 + 1", "-9223372036854775808 - 1", "9223372036854775807 * 2",
                           "-9223372036854775808 / -1", "1e308 * 10", "1e308 + 1e308", "9000000000s * 10"})
    EXPECT_THAT(wrong(text), HasSubstr(overflow)) << text;
  for (const char* text : {"1 / 0", "1.0 / 0", "0 / 0.0", "1s / 0", "1s / 0.0", "1s / 0s", "-9223372036854775808 / 0"})
    EXPECT_THAT(wrong(text), HasSubstr("division by zero")) << text;
  EXPECT_EQ(wrong("1 + 1 / 0"), "7: division by zero");
  EXPECT_EQ(wrong("1h * 1e300"), "4: the result is beyond the longest duration that can be held");
  EXPECT_EQ(wrong("1s / 1e-307"), "4: the result is beyond the longest duration that can be held");
  EXPECT_EQ(wrong("1e999"), "1: this number does not fit: between 1e-307 and 1e308, or 0");
  EXPECT_EQ(wrong("99999999999h"), "1: a duration is at most 290 years");
}

TEST(Expression, KnowsTheUnitsOfDurations) {
  EXPECT_EQ(value_of("1s + 250ms"), time(1250ms));
  EXPECT_EQ(value_of("1s - 2s"), time(-1s));
  EXPECT_EQ(value_of("2 * 3s"), time(6s));
  EXPECT_EQ(value_of("3s * 2"), time(6s));
  EXPECT_EQ(value_of("0.6 * 1s"), time(600ms));
  EXPECT_EQ(value_of("1s / 4"), time(250ms));
  EXPECT_EQ(value_of("1s / 0.5"), time(2s));
  EXPECT_EQ(value_of("1s / 250ms"), number(4));
  EXPECT_EQ(value_of("-1s"), time(-1s));
  EXPECT_EQ(value_of("1000ms == 1s"), operand{true});
  EXPECT_EQ(value_of("999ms < 1s"), operand{true});
}

TEST(Expression, NamesBothKindsWhereTheyDoNotGoTogether) {
  EXPECT_EQ(wrong("1s + 1"), "4: + cannot be applied to duration and number");
  EXPECT_EQ(wrong("1 - 1s"), "3: - cannot be applied to number and duration");
  EXPECT_EQ(wrong("1s * 1s"), "4: * cannot be applied to duration and duration");
  EXPECT_EQ(wrong("1 / 1s"), "3: / cannot be applied to number and duration");
  EXPECT_EQ(wrong("'1' + 1"), "5: + cannot be applied to text and number");
  EXPECT_EQ(wrong("'a' + 'b'"), "5: + cannot be applied to text and text");
  EXPECT_EQ(wrong("true + 1"), "6: + cannot be applied to true or false and number");
  EXPECT_EQ(wrong("null + 1"), "6: + cannot be applied to null and number");
  EXPECT_EQ(wrong("1s == 1"), "4: == cannot be applied to duration and number");
  EXPECT_EQ(wrong("1s < '1s'"), "4: < cannot be applied to duration and text");
  EXPECT_EQ(wrong("true = 't'"), "6: == cannot be applied to true or false and text");
  EXPECT_EQ(wrong("true == 1"), "6: == cannot be applied to true or false and number");
  EXPECT_EQ(wrong("true < false"), "6: < cannot be applied to true or false and true or false");
  EXPECT_EQ(wrong("null < 1"), "6: < cannot be applied to null and number");
  EXPECT_EQ(wrong("-'1'"), "1: - cannot be applied to text");
}

TEST(Expression, ComparesWithEachOperator) {
  EXPECT_EQ(value_of("1 < 2 and 1 <= 1 and 2 > 1 and 2 >= 2 and 1 != 2 and 1 = 1 and 1 == 1"), operand{true});
  for (const char* text : {"2 < 1", "1 < 1", "2 <= 1", "1 > 2", "1 > 1", "1 >= 2", "1 != 1", "1 = 2", "1 == 2"})
    EXPECT_EQ(value_of(text), operand{false}) << text;
  EXPECT_EQ(value_of("true == true and true != false"), operand{true});
  EXPECT_EQ(value_of("null == null and null != 1 and 'x' != null and not null == false"), operand{true});
  EXPECT_EQ(value_of("null != null or null == 0 or null == ''"), operand{false});
}

TEST(Expression, ComparesWholeNumbersWithOthersExactly) {
  const auto names = scope_of({{"whole", whole((std::int64_t{1} << 53) + 1)},
                               {"near", number(9007199254740992.0)},
                               {"beyond", number(9223372036854775808.0)},
                               {"nan", number(std::numeric_limits<double>::quiet_NaN())},
                               {"infinity", number(std::numeric_limits<double>::infinity())}});
  EXPECT_EQ(value_of("whole > near and near < whole and whole != near", names), operand{true});
  EXPECT_EQ(value_of("9223372036854775807 < beyond and beyond > 9223372036854775807", names), operand{true});
  EXPECT_EQ(value_of("-9223372036854775808 == -beyond and -9223372036854775808 >= -infinity", names), operand{true});
  EXPECT_EQ(value_of("1 < infinity and -infinity < 1", names), operand{true});
  EXPECT_EQ(value_of("1 < 1.5 and 2 > 1.5 and -1 > -1.5 and -2 < -1.5 and 1 == 1.0", names), operand{true});
  EXPECT_EQ(value_of("1 == nan or 1 < nan or 1 > nan or nan == nan", names), operand{false});
  EXPECT_EQ(value_of("1 != nan and nan != nan", names), operand{true});
}

TEST(Expression, TakesTextForANumberBesideANumber) {
  EXPECT_EQ(value_of("'42' == 42 and 42 = '42' and '1.50' == 1.5 and '-3' < 0 and 10 > '9' and '1e3' == 1000"),
            operand{true});
  EXPECT_EQ(value_of("'9223372036854775807' == 9223372036854775807"), operand{true});
  EXPECT_EQ(value_of("'9223372036854775806' == 9223372036854775807"), operand{false});
  EXPECT_EQ(wrong("'x' == 1"), "5: 'x' is compared with a number and does not read as one");
  for (const char* text : {"'' == 1", "' 1' == 1", "'1 ' == 1", "'0x1' == 1", "'NaN' == 1", "'inf' > 1", "1 < '1s'"})
    EXPECT_THAT(wrong(text), HasSubstr("does not read as one")) << text;
}

TEST(Expression, ComparesTextWithTextByBytes) {
  EXPECT_EQ(value_of("'10' < '9' and 'a' < 'b' and 'Z' < 'a' and 'a' < 'aa' and 'z' < 'ä' and 'x' == \"x\""),
            operand{true});
  EXPECT_EQ(value_of("'1' == '1.0'"), operand{false});
}

TEST(Expression, ResolvesDottedNames) {
  const auto names = scope_of({{"total.scalar", whole(7)},
                               {"by_author.rows", whole(3)},
                               {"größe", whole(1)},
                               {"q1.row.0", whole(2)},
                               {"_x", whole(4)},
                               {"nullable", whole(5)}});
  EXPECT_EQ(value_of("total.scalar + by_author.rows", names), whole(10));
  EXPECT_EQ(value_of("größe + q1.row.0 + _x + nullable", names), whole(12));
}

TEST(Expression, ListsItsNamesWithTheirPlaces) {
  const auto parsed = expression::parse("größe + total.scalar > max(n, größe) and not true").value();
  std::vector<std::pair<std::string, std::size_t>> names;
  for (const auto& [path, position] : parsed.names())
    names.emplace_back(path, position);
  using pair = std::pair<std::string, std::size_t>;
  EXPECT_THAT(names, ElementsAre(pair("größe", 1), pair("total.scalar", 9), pair("n", 28), pair("größe", 31)));
  EXPECT_TRUE(expression::parse("1 + min(2, 'n')")->names().empty());
}

TEST(Expression, PassesItsScopesFailuresOnWithTheirPlaces) {
  EXPECT_EQ(wrong("1 + missing"), "5: no missing");
  const scope positioned = [](std::string_view) -> result<operand> {
    return failure{.code = errc::pool_timeout, .message = "late", .position = 99};
  };
  const auto out = expression::parse("x")->evaluate(positioned);
  EXPECT_EQ(out.error().code, errc::pool_timeout);
  EXPECT_EQ(out.error().position, 99u);
  EXPECT_EQ(wrong("n", scope{}), "1: n is not known here");
}

TEST(Expression, CallsItsFunctions) {
  EXPECT_EQ(value_of("min(3, 1, 2)"), whole(1));
  EXPECT_EQ(value_of("max(1, 2.5, 2)"), number(2.5));
  EXPECT_EQ(value_of("max(1s, 250ms)"), time(1s));
  EXPECT_EQ(value_of("min('b', 'a')"), text("a"));
  EXPECT_EQ(value_of("max(1)"), whole(1));
  EXPECT_EQ(value_of("abs(-3) + abs(3)"), whole(6));
  EXPECT_EQ(value_of("abs(-0.5)"), number(0.5));
  EXPECT_EQ(value_of("abs(1s - 3s)"), time(2s));
  EXPECT_EQ(value_of("length('größe')"), whole(5));
  EXPECT_EQ(value_of("length('')"), whole(0));
  EXPECT_EQ(value_of("max(min(1, 2), abs(-3)) * 2"), whole(6));
}

TEST(Expression, SaysWhatIsWrongWithACall) {
  EXPECT_EQ(wrong("1 + lenght('x')"), "5: there is no function lenght; did you mean length?");
  EXPECT_EQ(wrong("Max(1)"), "1: there is no function Max; did you mean max?");
  EXPECT_EQ(wrong("system('ls')"), "1: there is no function system");
  EXPECT_EQ(wrong("abs()"), "1: abs() takes 1 argument, not 0");
  EXPECT_EQ(wrong("random(1)"), "1: random() takes 2 arguments, not 1");
  EXPECT_EQ(wrong("sequence(1)"), "1: sequence() takes no argument, not 1");
  EXPECT_EQ(wrong("min()"), "1: min() takes at least 1 argument, not 0");
  EXPECT_EQ(wrong("min(1s, 1)"), "1: min(): < cannot be applied to number and duration");
  EXPECT_EQ(wrong("max(1, null)"), "1: max(): > cannot be applied to null and number");
  EXPECT_EQ(wrong("1 + abs('x')"), "5: abs() takes a number or a duration, not text");
  EXPECT_EQ(wrong("length(1)"), "1: length() takes text, not number");
  EXPECT_EQ(wrong("abs(-9223372036854775808)"), "1: the result is beyond the largest number that can be held");
}

TEST(Expression, DrawsTheSameForTheSameSeed) {
  const auto draw = [](std::uint64_t seed) {
    generator random{seed};
    std::string out;
    for (int i = 0; i < 20; ++i)
      out += show(value_of("random(1, 1000000)", nothing, &random)) + ' ';
    return out;
  };
  EXPECT_EQ(draw(1), draw(1));
  EXPECT_NE(draw(1), draw(2));
}

TEST(Expression, DrawsEachNumberOfARangeAndNoOther) {
  generator random{7};
  std::map<std::int64_t, int> seen;
  const auto dice = expression::parse("random(-2, 3)").value();
  for (int i = 0; i < 6000; ++i)
    ++seen[std::get<std::int64_t>(*dice.evaluate(nothing, &random))];
  ASSERT_EQ(seen.size(), 6u);
  EXPECT_EQ(seen.begin()->first, -2);
  EXPECT_EQ(seen.rbegin()->first, 3);
  for (const auto& [drawn, count] : seen)
    EXPECT_NEAR(count, 1000, 150) << drawn; // five standard deviations
  EXPECT_EQ(value_of("random(5, 5)", nothing, &random), whole(5));
}

TEST(Expression, DrawsFromTheWidestRanges) {
  generator random{7};
  bool negative = false, positive = false;
  for (int i = 0; i < 100; ++i) {
    const auto drawn = random.between(least, most);
    (drawn < 0 ? negative : positive) = true;
    EXPECT_GE(random.between(least + 1, most), least + 1);
    EXPECT_LE(random.between(least, 0), 0);
  }
  EXPECT_TRUE(negative && positive);
}

TEST(Expression, ChoosesEachAndCounts) {
  generator random{7};
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i)
    seen.insert(show(value_of("choose('a', 2, 3s)", nothing, &random)));
  EXPECT_EQ(seen, (std::set<std::string>{"'a'", "2", "3 s"}));
  EXPECT_EQ(value_of("sequence()", nothing, &random), whole(1));
  EXPECT_EQ(value_of("sequence() + 10 * sequence()", nothing, &random), whole(32));
  generator other{7};
  EXPECT_EQ(value_of("sequence()", nothing, &other), whole(1));
}

TEST(Expression, RefusesToDrawWithoutAGeneratorOrFromNothing) {
  for (const char* text : {"random(1, 2)", "choose(1)", "sequence()"})
    EXPECT_THAT(wrong(text), HasSubstr("draws anew each time")) << text;
  generator random{7};
  EXPECT_EQ(wrong("random(2, 1)", nothing, &random), "1: random(low, high): low is 2, more than high, 1");
  EXPECT_EQ(wrong("random(1, 2.5)", nothing, &random), "1: random(low, high) takes whole numbers, not 2.5");
  EXPECT_EQ(wrong("random('1', 2)", nothing, &random), "1: random(low, high) takes whole numbers, not '1'");
}

TEST(Expression, SaysWhereItCannotBeRead) {
  const std::array<std::pair<const char*, const char*>, 31> cases{{
      {"", "1: a value has to stand here, not the end"},
      {"  ", "3: a value has to stand here, not the end"},
      {"1 +", "4: a value has to stand here, not the end"},
      {"1 + * 2", "5: a value has to stand here, not *"},
      {"> 1", "1: a value has to stand here, not >"},
      {"1 2", "3: an operator or the end has to stand here, not 2"},
      {"größe größe", "7: an operator or the end has to stand here, not größe"},
      {"a AND b", "3: AND is not an operator; write and"},
      {"a ro b", "3: an operator or the end has to stand here, not ro"},
      {"(1", "1: this parenthesis is not closed"},
      {"1 + max(1, 2", "8: this parenthesis is not closed"},
      {"(1 2)", "4: an operator or ) has to stand here, not 2"},
      {"1)", "2: this parenthesis was not opened"},
      {"()", "2: a value has to stand here, not )"},
      {"max(1,)", "7: a value has to stand here, not )"},
      {"1 < 2 < 3", "7: comparisons do not follow each other; join them with and"},
      {"'größe' + 'x", "11: this text has no end; close it with '"},
      {"'it's'", "5: an operator or the end has to stand here, not s"},
      {"1.", "2: a number has a digit behind its point, as in 1.5"},
      {"1.x", "2: a number has a digit behind its point, as in 1.5"},
      {"5sec", "2: the unit of a duration is us, ms, s, m or h"},
      {"a <> b", "3: <> is not an operator; write !="},
      {"a && b", "3: && is not an operator; write and"},
      {"a || b", "3: || is not an operator; write or"},
      {"!a", "1: ! is not an operator; write not"},
      {"a ; b", "3: ; has no meaning here; quote text, as in 'text'"},
      {"a.", "2: . has no meaning here; quote text, as in 'text'"},
      {"a..b", "2: . has no meaning here; quote text, as in 'text'"},
      {"1 + \xff", "5: \\xFF has no meaning here; quote text, as in 'text'"},
      {"and", "1: a value has to stand here, not and"},
      {"1 == not 2", "6: a value has to stand here, not not"},
  }};
  for (const auto& [text, message] : cases) {
    const auto parsed = expression::parse(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(std::to_string(parsed.error().position) + ": " + parsed.error().message, message) << text;
  }
}

TEST(Expression, IsBoundedInDepth) {
  const auto nested = [](std::size_t depth, const std::string& open, const std::string& close) {
    std::string out;
    for (std::size_t i = 0; i < depth; ++i)
      out += open;
    out += "true";
    for (std::size_t i = 0; i < depth; ++i)
      out += close;
    return out;
  };
  for (const auto& [open, close] : {std::pair{"("s, ")"s}, {"not "s, ""s}, {"choose("s, ")"s}}) {
    EXPECT_TRUE(expression::parse(nested(64, open, close))) << open;
    EXPECT_THAT(wrong(nested(65, open, close)), HasSubstr("at most 64 parentheses, calls and signs within each other"));
  }
  EXPECT_THAT(wrong(nested(1000, "-", "")), HasSubstr("at most 64"));
}

TEST(Expression, IsBoundedInLengthButNotInTerms) {
  std::string sum = "1";
  while (sum.size() + 2 <= expression::bytes_max)
    sum += "+1";
  EXPECT_EQ(value_of(sum), whole(static_cast<std::int64_t>(sum.size() + 1) / 2));
  sum.resize(expression::bytes_max, ' ');
  EXPECT_TRUE(expression::parse(sum));
  EXPECT_EQ(wrong(sum + " "), "1: an expression has at most 4096 bytes; this one has 4097");
}

TEST(Expression, HoldsOrNotWhenItIsTrueOrFalse) {
  EXPECT_TRUE(expression::parse("1 < 2")->holds(nothing).value());
  EXPECT_FALSE(expression::parse("1 > 2")->holds(nothing).value());
  EXPECT_THAT(expression::parse("1")->holds(nothing).error().message,
              HasSubstr("this is 1 and has to be true or false"));
  EXPECT_EQ(expression::parse("1/0")->holds(nothing).error().position, 2u);
}

TEST(Expectation, MayLeaveItsLeftSideOut) {
  EXPECT_EQ(met("> 0", whole(1)), "true");
  EXPECT_EQ(met("> 0", whole(0)), "false");
  EXPECT_EQ(met("<= 0.6 * shared_session", time(500ms), {{"shared_session", time(1s)}}), "true");
  EXPECT_EQ(met("<= 0.6 * shared_session", time(700ms), {{"shared_session", time(1s)}}), "false");
  EXPECT_EQ(met("!= null", text("x")), "true");
  EXPECT_EQ(met("!= null", {}), "false");
  EXPECT_EQ(met("= 1", text("1")), "true");
  EXPECT_EQ(met(">= 1 and <= 5", whole(5)), "true");
  EXPECT_EQ(met(">= 1 and <= 5", whole(6)), "false");
  EXPECT_EQ(met("not (> 1 and < 3)", whole(2)), "false");
}

TEST(Expectation, MayBeWhatTheValueShallEqual) {
  EXPECT_EQ(met("1", text("1")), "true");
  EXPECT_EQ(met("1", whole(2)), "false");
  EXPECT_EQ(met("'x'", text("x")), "true");
  EXPECT_EQ(met("null", {}), "true");
  EXPECT_EQ(met("null", whole(0)), "false");
  EXPECT_EQ(met("true", operand{true}), "true");
  EXPECT_EQ(met("2 * n", whole(6), {{"n", whole(3)}}), "true");
  EXPECT_EQ(met("-1", whole(-1)), "true");
  EXPECT_EQ(met("n", whole(1), {{"n", whole(2)}}), "false");
  EXPECT_THAT(met("1s", whole(1)), HasSubstr("== cannot be applied to duration and number"));
}

TEST(Expectation, MayBeAWholeTest) {
  EXPECT_EQ(met("it > 0 and it < 10", whole(5)), "true");
  EXPECT_EQ(met("0 < it", whole(0)), "false");
  EXPECT_EQ(met("it", operand{true}), "true");
  EXPECT_EQ(met("a < b", {}, {{"a", whole(1)}, {"b", whole(2)}}), "true");
  EXPECT_EQ(met("not flag", {}, {{"flag", operand{false}}}), "true");
  EXPECT_EQ(met("length(it) == 3", text("abc")), "true");
  EXPECT_THAT(met("it + 1", whole(1)), HasSubstr("true or false is needed here, not 2"));
}

TEST(Expectation, NamesItWhereItIsMeant) {
  const auto names = [](std::string_view text) {
    std::string out;
    const auto parsed = expression::parse_expectation(text).value();
    for (const auto& [path, position] : parsed.names())
      out += path + '@' + std::to_string(position) + ' ';
    return out;
  };
  EXPECT_EQ(names(" > n"), "it@2 n@4 ");
  EXPECT_EQ(names("2 * n"), "n@5 it@1 ");
  EXPECT_EQ(names("1 < it"), "it@5 ");
  EXPECT_EQ(expression::parse_expectation("> ").error().position, 3u);
  EXPECT_EQ(expression::parse_expectation("> > 1").error().position, 3u);
}

TEST(Operand, IsShownOnOneLine) {
  EXPECT_EQ(to_text(operand{}), "null");
  EXPECT_EQ(to_text(operand{true}), "true");
  EXPECT_EQ(to_text(whole(42)), "42");
  EXPECT_EQ(to_text(number(0.001)), "0.001");
  EXPECT_EQ(to_text(time(1300ms)), "1.3 s");
  EXPECT_EQ(to_text(time(250ms)), "250 ms");
  EXPECT_EQ(to_text(time(-1500us)), "-1.5 ms");
  EXPECT_EQ(to_text(time(1234567ns)), "1.23457 ms");
  EXPECT_EQ(to_text(time(850ns)), "850 ns");
  EXPECT_EQ(to_text(time(0ns)), "0 us");
  EXPECT_EQ(to_text(time(24h * 365)), "31536000 s");
  EXPECT_EQ(to_text(text("x")), "'x'");
  EXPECT_EQ(to_text(text("it's\n\033")), "'it''s \\x1B'");
  EXPECT_LT(to_text(text(std::string(1000, 'x'))).size(), 70u);
}

/// What cannot go together in an expectation of a time, where `n` is a number, `s` a text and nothing else is known.
std::string mixed_in(std::string_view text) {
  const auto parsed = expression::parse_expectation(text);
  if (!parsed)
    return "cannot be read: " + parsed.error().message;
  const auto wrong = parsed->check([](std::string_view name) -> std::optional<operand> {
    if (name == "it")
      return operand{250ms};
    if (name == "n")
      return whole(0);
    return name == "s" ? std::optional{operand{"7"s}} : std::nullopt;
  });
  return wrong ? fmt::format("{}: {}", wrong->position, wrong->message) : "";
}

TEST(ExpressionKinds, AreKnownWithoutAValue) {
  for (const auto* right :
       {"< 5ms", ">= 1ms and <= 2 * it", "it / 2ms < n", "unknown < 5", "unknown + 1 < it", "!= null", "n != null",
        "it / n < 1s", "1 / (n - n) < n", "s < 5", "s = 'x'", "max(it, 1s) < 2s", "abs(-it) < 1s", "length(s) > n",
        "random(1, 5) < n", "choose(1, 'x') = 1", "not (it < 1s)", "it < 1s or n < 5", "min(unknown, 1) < 2"})
    EXPECT_EQ(mixed_in(right), "") << right;
  for (const auto& [wrong, why] : std::initializer_list<std::pair<const char*, const char*>>{
           {"< 5", "1: < cannot compare a duration with a number"},
           {"= n", "1: == cannot compare a duration with a number"},
           {"n < 1s", "3: < cannot compare a number with a duration"},
           {"< 1s or it < 5", "12: < cannot compare"},
           {"false and it < 5", "14: < cannot compare"},
           {"it + 1 < 1s", "4: + cannot be applied to duration and number"},
           {"it * it < 1s", "4: * cannot be applied to duration and duration"},
           {"n and it < 1s", "true or false is needed here, not a number"},
           {"max(it, n) < 1s and s < it", "23: < cannot be applied to text and duration"},
           {"length(n) < 5", "length() takes text, not number"},
           {"s + 1 < 5", "3: + cannot be applied to text and number"}})
    EXPECT_THAT(mixed_in(wrong), HasSubstr(why)) << wrong;
}

TEST(ExpressionKinds, KnowAValueThatIsToBeEqualled) {
  for (const auto* text : {"50ms", "2 * n", "'x'", "null"})
    EXPECT_TRUE(expression::parse_expectation(text).value().is_value()) << text;
  for (const auto* text : {"= 50ms", "< 50ms", "it", "n = 5", "not n"})
    EXPECT_FALSE(expression::parse_expectation(text).value().is_value()) << text;
}

TEST(Nearest, IsTheWordWithTheFewestEdits) {
  constexpr std::array<std::string_view, 6> known{"elapsed", "request", "requests", "scenario", "größe", "n"};
  EXPECT_EQ(nearest("elapsed", known), "elapsed");
  EXPECT_EQ(nearest("elapsd", known), "elapsed");
  EXPECT_EQ(nearest("elaspde", known), "elapsed"); // two swaps
  EXPECT_EQ(nearest("reqests", known), "requests");
  EXPECT_EQ(nearest("Requests", known), "requests");
  EXPECT_EQ(nearest("requestx", known), "request"); // both are one edit away: the first
  EXPECT_EQ(nearest("scenarios", known), "scenario");
  EXPECT_EQ(nearest("grösse", known), "größe");
  EXPECT_EQ(nearest("N", known), "n");
}

TEST(Nearest, IsNothingWhenNothingIsNear) {
  constexpr std::array<std::string_view, 3> known{"elapsed", "n", ""};
  for (const char* given : {"", "m", "e", "width", "elapsing", "psed", "\xff\xfe"})
    EXPECT_EQ(nearest(given, known), "") << given;
  EXPECT_EQ(nearest(std::string(1000, 'e'), known), "");
  EXPECT_EQ(nearest("elapsed", {}), "");
}

TEST(Nearest, TakesAThirdForTheMost) {
  constexpr std::array<std::string_view, 1> known{"abcdef"};
  EXPECT_EQ(nearest("abcdxx", known), "abcdef");
  EXPECT_EQ(nearest("abcxxx", known), "");
}

} // namespace
} // namespace sheaf::app
