// SPDX-License-Identifier: LGPL-2.1-or-later

#include "elements/http_transport.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <fstream>
#include <mutex>
#include <new>
#include <string_view>
#include <utility>

#include <curl/curl.h>

namespace sightline {

namespace {

constexpr int kLongestWait = 1000;         // ms between two looks at the time
constexpr std::size_t kShownAnswer = 200;  // bytes of an answer that says what is wrong

struct FreeUrl {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};
struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
struct FreeMulti {
  void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
};
struct FreeEasy {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};

void initialise_curl() {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

// The URL without a user's name and password. Throws Error(kConfig) if it is none.
std::string shown_url(const std::string& text) {
  const std::unique_ptr<CURLU, FreeUrl> url(curl_url());
  char* raw = nullptr;
  const auto part = [&](CURLUPart which) -> std::string {
    if (curl_url_get(url.get(), which, &raw, 0) != CURLUE_OK) return "";
    const std::string value = raw;
    curl_free(raw);
    return value;
  };
  const CURLUcode code = curl_url_set(url.get(), CURLUPART_URL, text.c_str(), 0);
  const std::string scheme = code == CURLUE_OK ? part(CURLUPART_SCHEME) : "";
  if (scheme != "http" && scheme != "https")
    throw Error(ErrorCode::kConfig,
                "url is no address of a server" +
                    (code == CURLUE_OK ? " that speaks HTTP, but of \"" + scheme + "\""
                                       : std::string(": ") + curl_url_strerror(code)) +
                    ". Expected for example url=https://example.org/events");
  for (const CURLUPart secret : {CURLUPART_USER, CURLUPART_PASSWORD, CURLUPART_QUERY})
    curl_url_set(url.get(), secret, nullptr, 0);
  return part(CURLUPART_URL);
}

void check_header(const std::string& header) {
  if (header.find_first_of("\r\n") == std::string::npos) return;
  throw Error(ErrorCode::kConfig,
              "extra-headers: \"" + header.substr(0, header.find(':')) +
                  "\" has a line break, which a header cannot have. Take it out");
}

bool is_content_type(const std::string& header) {
  constexpr std::string_view kName = "content-type:";
  return std::ranges::equal(header.substr(0, kName.size()), kName, {},
                            [](unsigned char c) { return std::tolower(c); });
}

void check_readable(const std::string& ca_file) {
  if (!ca_file.empty() && !std::ifstream(ca_file))
    throw Error(ErrorCode::kNotFound,
                "ca-file: " + ca_file + " cannot be read. Expected certificates in PEM format");
}

size_t keep_beginning(char* bytes, size_t, size_t count, void* answer) {
  auto* text = static_cast<std::string*>(answer);
  text->append(bytes, std::min(count, kShownAnswer - std::min(kShownAnswer, text->size())));
  return count;
}

// What a server says in plain text; pages for browsers are left out.
std::string in_words(const std::string& answer) {
  std::string words = answer.substr(0, answer.find_first_of("\r\n"));
  std::ranges::replace_if(
      words, [](unsigned char c) { return c < 32 || c > 126; }, '?');
  return words.empty() || words.front() == '<' ? "" : " (\"" + words + "\")";
}

bool may_pass(long status) { return status == 408 || status == 429 || status >= 500; }

}  // namespace

struct HttpTransport::Handles {
  std::unique_ptr<CURLM, FreeMulti> multi{curl_multi_init()};
  std::unique_ptr<CURL, FreeEasy> easy{curl_easy_init()};
  std::unique_ptr<curl_slist, FreeList> headers;
  std::array<char, CURL_ERROR_SIZE> problem{};

  void add_header(const std::string& header) {
    curl_slist* longer = curl_slist_append(headers.get(), header.c_str());
    if (longer == nullptr) throw std::bad_alloc();
    headers.release();
    headers.reset(longer);
  }
  template <typename Value>
  void set(CURLoption option, Value value) {
    if (const CURLcode code = curl_easy_setopt(easy.get(), option, value); code != CURLE_OK)
      throw Error(ErrorCode::kConfig, std::string("libcurl does not take option ") +
                                          std::to_string(option) + ": " + curl_easy_strerror(code));
  }
};

HttpTransport::HttpTransport(HttpOptions options)
    : options_((initialise_curl(), std::move(options))),
      target_(shown_url(options_.url)),
      handles_(std::make_unique<Handles>()) {
  if (handles_->multi == nullptr || handles_->easy == nullptr) throw std::bad_alloc();
  check_readable(options_.ca_file);
  if (std::ranges::none_of(options_.headers, is_content_type))
    handles_->add_header(options_.several ? "Content-Type: application/x-ndjson"
                                          : "Content-Type: application/json");
  handles_->add_header("Expect:");  // no round trip before what is sent
  for (const std::string& header : options_.headers) {
    check_header(header);
    handles_->add_header(header);
  }
  handles_->set(CURLOPT_URL, options_.url.c_str());
  handles_->set(CURLOPT_PROTOCOLS_STR, "http,https");
  handles_->set(CURLOPT_HTTPHEADER, handles_->headers.get());
  handles_->set(CURLOPT_USERAGENT, "sightjson");
  handles_->set(CURLOPT_NOSIGNAL, 1L);
  handles_->set(CURLOPT_TIMEOUT_MS, static_cast<long>(options_.timeout.count()));
  handles_->set(CURLOPT_ERRORBUFFER, handles_->problem.data());
  handles_->set(CURLOPT_WRITEFUNCTION, &keep_beginning);
  handles_->set(CURLOPT_WRITEDATA, &answer_);
  if (!options_.ca_file.empty()) handles_->set(CURLOPT_CAINFO, options_.ca_file.c_str());
}

HttpTransport::~HttpTransport() = default;

void HttpTransport::interrupt() {
  interrupted_ = true;
  curl_multi_wakeup(handles_->multi.get());
}

// The request's CURLcode. Through the interface for many, since it can be woken up.
int HttpTransport::perform() {
  CURLM* const multi = handles_->multi.get();
  handles_->problem[0] = '\0';
  answer_.clear();
  curl_multi_add_handle(multi, handles_->easy.get());
  int running = 1;
  CURLcode code = CURLE_ABORTED_BY_CALLBACK;
  while (running > 0 && !interrupted_) {
    if (curl_multi_perform(multi, &running) != CURLM_OK) break;
    if (running > 0) curl_multi_poll(multi, nullptr, 0, kLongestWait, nullptr);
  }
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi, &left))
    if (message->msg == CURLMSG_DONE) code = message->data.result;
  curl_multi_remove_handle(multi, handles_->easy.get());
  return code;
}

void HttpTransport::check_answer(int code) {
  const std::string begin = "cannot post to " + target_ + ": ";
  if (code != CURLE_OK) {
    const std::string detail = handles_->problem[0] != '\0'
                                   ? handles_->problem.data()
                                   : curl_easy_strerror(static_cast<CURLcode>(code));
    // The second: this machine has no list of whom to trust.
    const bool untrusted =
        code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE;
    throw DeliveryError(begin + detail + (untrusted ? ". Name whom to trust with ca-file" : ""),
                        true);
  }
  long status = 0;
  curl_easy_getinfo(handles_->easy.get(), CURLINFO_RESPONSE_CODE, &status);
  if (status >= 200 && status < 300) return;
  throw DeliveryError(
      begin + "the server answers " + std::to_string(status) + in_words(answer_) +
          (status >= 300 && status < 400 ? ", and redirections are not followed. Set url to where "
                                           "it points"
                                         : ""),
      may_pass(status));
}

std::size_t HttpTransport::deliver(std::span<const std::string> lines) {
  std::string joined;
  if (options_.several)
    for (const std::string& line : lines) joined += line + "\n";
  const std::string& body = options_.several ? joined : lines.front();
  handles_->set(CURLOPT_POSTFIELDS, body.c_str());
  handles_->set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
  check_answer(perform());
  return options_.several ? lines.size() : 1;
}

}  // namespace sightline
