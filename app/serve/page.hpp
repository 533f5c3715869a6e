// SPDX-License-Identifier: BSD-3-Clause
//
// The web page's files, which cmake/EmbedFiles.cmake puts into the program when it is built. Any thread.

#pragma once

#include <span>
#include <string_view>

namespace sheaf::app::serve {

struct page_file {
  std::string_view name; ///< `index.html`
  std::string_view content;
};

/// All files of app/serve/page.
std::span<const page_file> page_files() noexcept;

} // namespace sheaf::app::serve
