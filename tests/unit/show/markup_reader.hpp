// SPDX-License-Identifier: BSD-3-Clause
//
// Reads the markup that pictures are made of, and finds markup that no reader of XML would take: enough for tests.

#pragma once

#include "app/base/text.hpp"

#include <algorithm>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sheaf::app {

struct element {
  std::string name;
  std::map<std::string, std::string> attributes;
  std::string text; ///< Directly within it, entities resolved.
  std::vector<element> children;

  std::string attribute(const std::string& key) const {
    const auto at = attributes.find(key);
    return at == attributes.end() ? std::string{} : at->second;
  }

  double number(const std::string& key) const { return std::stod(attributes.at(key)); }

  /// It and all below it that `wanted` holds for, in order.
  template <class Wanted>
  void find(Wanted wanted, std::vector<const element*>& out) const {
    if (wanted(*this))
      out.push_back(this);
    for (const auto& child : children)
      child.find(wanted, out);
  }

  /// The elements with this word among their classes.
  std::vector<const element*> of_class(std::string_view word) const {
    std::vector<const element*> out;
    find(
        [&](const element& x) {
          return (' ' + x.attribute("class") + ' ').find(' ' + std::string{word} + ' ') != std::string::npos;
        },
        out);
    return out;
  }

  std::vector<const element*> named(std::string_view word) const {
    std::vector<const element*> out;
    find([&](const element& x) { return x.name == word; }, out);
    return out;
  }
};

/// Throws `std::runtime_error` for markup that is not well-formed. Knows neither comments nor CDATA; a page's doctype,
/// and its elements that have no end (`meta`), are passed over.
class markup_reader {
public:
  static element read(std::string_view text) {
    markup_reader reader{text};
    reader.skip_space();
    if (reader.rest_.starts_with("<!DOCTYPE html>"))
      reader.rest_.remove_prefix(15);
    reader.skip_space();
    auto out = reader.one();
    reader.skip_space();
    require(reader.rest_.empty(), "something behind the root");
    return out;
  }

private:
  explicit markup_reader(std::string_view text) : rest_(text) {
    while (!text.empty()) {
      const auto c = first_character(text);
      const bool space = c.code == U'\n' || c.code == U'\t' || c.code == U'\r';
      require(c.valid && (c.code >= 0x20 || space) && c.code != 0xfffe && c.code != 0xffff, "no character of XML");
      text.remove_prefix(c.size);
    }
  }

  static void require(bool held, const std::string& why) {
    if (!held)
      throw std::runtime_error(why);
  }

  void skip_space() { rest_.remove_prefix(std::min(rest_.find_first_not_of(" \n\t\r"), rest_.size())); }

  std::string_view until(std::string_view end) {
    const auto size = rest_.find_first_of(end);
    require(size != std::string_view::npos, "no end");
    const auto out = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return out;
  }

  void take(char c) {
    require(rest_.starts_with(c), std::string{"expected "} + c + " at " + std::string{rest_.substr(0, 40)});
    rest_.remove_prefix(1);
  }

  static std::string resolved(std::string_view text) {
    static const std::map<std::string_view, char> known{
        {"lt", '<'}, {"gt", '>'}, {"amp", '&'}, {"quot", '"'}, {"#39", '\''}};
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
      require(text[i] != '<', "a < within text");
      if (text[i] != '&') {
        out += text[i];
        continue;
      }
      const auto end = text.find(';', i);
      require(end != std::string_view::npos && known.contains(text.substr(i + 1, end - i - 1)), "unknown entity");
      out += known.at(text.substr(i + 1, end - i - 1));
      i = end;
    }
    return out;
  }

  element one() {
    element out;
    take('<');
    out.name = until(" />\n");
    require(!out.name.empty(), "an element without a name");
    for (skip_space(); !rest_.starts_with('>') && !rest_.starts_with("/>"); skip_space()) {
      const auto key = std::string{until("=> \n")};
      take('=');
      take('"');
      const auto value = until("\"");
      take('"');
      require(out.attributes.emplace(key, resolved(value)).second, "an attribute twice: " + key);
    }
    if (rest_.starts_with("/>")) {
      rest_.remove_prefix(2);
      return out;
    }
    take('>');
    if (out.name == "meta")
      return out;
    while (!rest_.starts_with("</")) {
      if (rest_.starts_with('<'))
        out.children.push_back(one());
      else
        out.text += resolved(until("<"));
    }
    rest_.remove_prefix(2);
    require(until(">") == out.name, "another element ends than began");
    take('>');
    return out;
  }

  std::string_view rest_;
};

} // namespace sheaf::app
