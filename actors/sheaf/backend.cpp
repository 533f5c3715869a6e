// SPDX-License-Identifier: BSD-3-Clause

#include "sheaf/backend.hpp"

namespace sheaf {

std::string backend::from_folder(std::string url, const std::filesystem::path&) const { return url; }

std::string backend::join_url(const std::vector<std::string>& texts, const std::vector<std::string>& values) const {
  std::string url = texts.front();
  for (std::size_t i = 0; i < values.size(); ++i)
    url.append(values[i]).append(texts[i + 1]);
  return url;
}

std::string backend::for_preparing(std::string url) const { return url; }

} // namespace sheaf
