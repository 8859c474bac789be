#pragma once
/// The page of html_page(), with @RUN@ where the data go. Made of page.html by the build.
#include <string_view>

namespace floe::cli {
extern const std::string_view page_html;
/// Of two runs, with @A@, @B@, @ROWS@, @PAGE_A@ and @PAGE_B@ in it.
extern const std::string_view compare_html;
}  // namespace floe::cli
