// The list of pages, for people: as text and as HTML.
#include "server/admin_pages.h"

namespace weir::server {
namespace {

constexpr std::string_view kHead =
    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>weir admin</title>\n<style>\n"
    "body { font-family: sans-serif; }\ntd { padding: 4px; }\nform { margin: 0; }\n"
    "tr:nth-child(odd) { background-color: #eee; }\n</style>\n</head>\n<body>\n<table>\n";

std::string escaped(std::string_view text) {
  std::string html;
  for (const char c : text) {
    switch (c) {
      case '&': html += "&amp;"; break;
      case '<': html += "&lt;"; break;
      case '>': html += "&gt;"; break;
      case '"': html += "&quot;"; break;
      case '\'': html += "&#39;"; break;
      default: html += c;
    }
  }
  return html;
}

}  // namespace

AdminAnswer adminHelp(const AdminContext&, const AdminQuery&) {
  std::string text = "admin commands are:\n";
  for (const AdminPage& page : adminPages()) {
    text += "  " + std::string(page.path) + (page.changes ? " (POST)" : "") + ": " + std::string(page.about) + "\n";
  }
  return {.body = std::move(text)};
}

AdminAnswer adminHome(const AdminContext&, const AdminQuery&) {
  std::string html(kHead);
  for (const AdminPage& page : adminPages()) {
    const std::string path = escaped(page.path.substr(1));  // Relative, so that a prefix in front does no harm.
    if (path.empty()) continue;
    html += "<tr><td>";
    if (page.changes) {
      html += "<form action=\"" + path + "\" method=\"post\"><button>" + path + "</button></form>";
    } else {
      html += "<a href=\"" + path + "\">" + path + "</a>";
    }
    html += "</td><td>" + escaped(page.about) + "</td></tr>\n";
  }
  return {.content_type = "text/html; charset=UTF-8", .body = html + "</table>\n</body>\n</html>\n"};
}

}  // namespace weir::server
