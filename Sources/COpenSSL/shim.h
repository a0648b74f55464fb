#ifndef KEYROLL_COPENSSL_H
#define KEYROLL_COPENSSL_H
#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/cms.h> /* declares its PEM functions only behind pem.h */
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/objects.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
/* Macros that Swift does not see. */
static const unsigned long keyroll_rfc2253 = XN_FLAG_RFC2253;
static const int keyroll_utf8 = MBSTRING_UTF8;
#endif
