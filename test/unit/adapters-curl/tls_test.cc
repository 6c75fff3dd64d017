// Certificates are checked before a byte of the request is written.
#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <csignal>
#include <cstdio>

#include "ask.h"
#include "receiver.h"

namespace perdure::test {
namespace {

// A key and a certificate that it signed itself, for one name.
class Identity {
 public:
  explicit Identity(const char* subject_alt_name) {
    signal(SIGPIPE, SIG_IGN);  // for the receivers; the client's thread blocks it
    key_ = EVP_EC_gen("P-256");
    cert_ = X509_new();
    X509_set_version(cert_, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(cert_), 1);
    X509_gmtime_adj(X509_getm_notBefore(cert_), -3600);
    X509_gmtime_adj(X509_getm_notAfter(cert_), 3600);
    X509_set_pubkey(cert_, key_);
    X509_NAME* name = X509_get_subject_name(cert_);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>("receiver"), -1, -1, 0);
    X509_set_issuer_name(cert_, name);
    X509_EXTENSION* san =
        X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, subject_alt_name);
    X509_add_ext(cert_, san, -1);
    X509_EXTENSION_free(san);
    X509_sign(cert_, key_, EVP_sha256());
    context_ = SSL_CTX_new(TLS_server_method());
    SSL_CTX_use_certificate(context_, cert_);
    SSL_CTX_use_PrivateKey(context_, key_);
  }
  ~Identity() {
    SSL_CTX_free(context_);
    X509_free(cert_);
    EVP_PKEY_free(key_);
  }

  // Serves one request over TLS; counts it.
  void serve(Peer& peer, Receiver& self) {
    SSL* ssl = SSL_new(context_);
    SSL_set_fd(ssl, peer.fd());
    char buffer[4096];
    if (SSL_accept(ssl) == 1 && SSL_read(ssl, buffer, sizeof buffer) > 0) {
      ++self.requests;
      const std::string text = answer("200 OK", "private");
      SSL_write(ssl, text.data(), static_cast<int>(text.size()));
      SSL_shutdown(ssl);
    }
    SSL_free(ssl);
  }

  std::string write_certificate() const {
    std::string path = testing::TempDir() + "perdure_tls_test_" + std::to_string(getpid()) + ".pem";
    FILE* file = std::fopen(path.c_str(), "w");
    PEM_write_X509(file, cert_);
    std::fclose(file);
    return path;
  }

 private:
  EVP_PKEY* key_ = nullptr;
  X509* cert_ = nullptr;
  SSL_CTX* context_ = nullptr;
};

std::string https(const Receiver& receiver) {
  return "https" + receiver.url().substr(4);
}

TEST(Tls, AnUnknownCertificateGetsNoRequest) {
  Identity identity("IP:127.0.0.1");
  Receiver receiver([&](Peer& peer, Receiver& self) { identity.serve(peer, self); });
  SetClock clock;
  CurlClient client(clock);
  const HttpResult result = ask(client, post(https(receiver)));
  EXPECT_EQ(result.end, HttpResult::End::kNotSent);
  EXPECT_NE(result.detail.find("certificate"), std::string::npos) << result.detail;
  EXPECT_EQ(receiver.requests, 0);
}

TEST(Tls, ACertificateOfAnotherNameGetsNoRequest) {
  Identity identity("DNS:elsewhere.example");
  const std::string path = identity.write_certificate();
  Receiver receiver([&](Peer& peer, Receiver& self) { identity.serve(peer, self); });
  SetClock clock;
  CurlClient client(clock, {.max_open = 8, .ca_file = path, .user_agent = "x"});
  EXPECT_EQ(ask(client, post(https(receiver))).end, HttpResult::End::kNotSent);
  EXPECT_EQ(receiver.requests, 0);
  std::remove(path.c_str());
}

TEST(Tls, AKnownCertificateIsServed) {
  Identity identity("IP:127.0.0.1");
  const std::string path = identity.write_certificate();
  Receiver receiver([&](Peer& peer, Receiver& self) { identity.serve(peer, self); });
  SetClock clock;
  CurlClient client(clock, {.max_open = 8, .ca_file = path, .user_agent = "x"});
  for (int i = 0; i < 3; ++i) {  // with a session to resume, from the second on
    const HttpResult result = ask(client, post(https(receiver)));
    EXPECT_EQ(result.body, "private") << result.detail;
  }
  EXPECT_EQ(receiver.requests, 3);
  EXPECT_EQ(receiver.connections(), 3);
  std::remove(path.c_str());
}

}  // namespace
}  // namespace perdure::test
