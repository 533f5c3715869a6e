// SPDX-License-Identifier: BSD-3-Clause
//
// The colours of pictures. They can be told apart with each kind of colour blindness (after Okabe and Ito), and by
// their lightness; nothing is told by colour alone.

#pragma once

#include <string_view>

namespace sheaf::app {

/// For the SVG. Each class is below `.sheaf`, which keeps it from a page around it. A program that knows no media
/// queries shows the light scheme.
inline constexpr std::string_view picture_style = R"(
.sheaf{font-family:ui-sans-serif,system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif}
.sheaf .paper{fill:#ffffff}
.sheaf text{fill:#1b2430}
.sheaf .dim{fill:#55606e}
.sheaf .bad{fill:#b3261e}
.sheaf .head,.sheaf .critical .name{font-weight:600}
.sheaf .note{stroke:#ffffff;stroke-width:3;stroke-linejoin:round;paint-order:stroke}
.sheaf .grid{stroke:#dde2e8;stroke-width:1}
.sheaf .elapsed{stroke:#55606e;stroke-width:1}
.sheaf .hover{fill:none;pointer-events:all}
.sheaf .turn{fill:none;stroke:#78828e;stroke-width:1;stroke-dasharray:2 2}
.sheaf .session{fill:#aab3bd}
.sheaf .executing{fill:#0067a8}
.sheaf .fetching{fill:#c97800}
.sheaf .cross{fill:none;stroke:#b3261e;stroke-width:1.7}
.sheaf .path{fill:none;stroke:#1b2430;stroke-width:2}
.sheaf .ghost{fill:#eef1f4;stroke:#55606e;stroke-width:1;stroke-dasharray:4 3}
.sheaf .break{fill:#ffffff;stroke:none}
.sheaf .edge{fill:none;stroke:#55606e;stroke-width:1.5}
@media (prefers-color-scheme:dark){
.sheaf .paper{fill:#14191f}
.sheaf text{fill:#e6eaef}
.sheaf .dim{fill:#a3aebb}
.sheaf .bad{fill:#ff8a80}
.sheaf .note{stroke:#14191f}
.sheaf .grid{stroke:#2b333d}
.sheaf .elapsed{stroke:#a3aebb}
.sheaf .turn{stroke:#8b96a3}
.sheaf .session{fill:#5d6875}
.sheaf .executing{fill:#4da6e8}
.sheaf .fetching{fill:#f5b642}
.sheaf .cross{stroke:#ff8a80}
.sheaf .path{stroke:#e6eaef}
.sheaf .ghost{fill:#1f262e;stroke:#a3aebb}
.sheaf .break{fill:#14191f}
.sheaf .edge{stroke:#a3aebb}
}
)";

} // namespace sheaf::app
