#pragma once
/// How the command line parser prints help: as its own formatter does, but no wider than the terminal, and under each command
/// the options that every command takes. Included by main.cpp only.
#include <CLI/CLI.hpp>

#include "cli/command_tree.hpp"
#include "cli/example_text.hpp"
#include "cli/output.hpp"
#include "cli/wrap.hpp"

namespace floe::cli {

class help_format final : public CLI::Formatter {
 public:
  std::string make_option(const CLI::Option* o, bool positional) const override {
    return columns(make_option_name(o, positional) + make_option_opts(o), make_option_desc(o));
  }
  std::string make_subcommand(const CLI::App* sub) const override {
    return columns(sub->get_display_name(true), sub->get_description());
  }
  std::string make_description(const CLI::App* app) const override {
    return wrapped(app->get_description(), width_) + "\n";
  }
  std::string make_footer(const CLI::App* app) const override {
    if (app->get_parent() == nullptr) return paragraphs(app->get_footer());
    std::string out = "Options of every command:\n";
    for (const auto& o : global_flags)
      out += columns(std::string(o.name) + (o.value ? std::string(" ") + o.value : ""), o.help);
    return out + "\n" + example_text(app->get_footer(), line_limit()) + "\n";
  }

 private:
  std::string columns(const std::string& left, const std::string& right) const {
    return two_columns(left, right, width_ < 80 ? width_ / 3 : 30, width_);
  }
  std::string paragraphs(std::string_view text) const {
    std::string out;
    for (std::size_t end = 0; end != text.npos;
         text.remove_prefix(end == text.npos ? 0 : end + 1)) {
      end = text.find('\n');
      out += wrapped(text.substr(0, end), width_) + "\n";
    }
    return out;
  }

  std::size_t width_ = terminal_width();
};

}  // namespace floe::cli
