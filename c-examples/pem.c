#include "pem.h"

#include <string.h>

#define BEGIN "-----BEGIN "
#define END "-----END "
#define DASHES "-----"
#define DER_SEQUENCE 0x30               /* the first byte of every certificate and key */
#define DER_LONG 0x80                   /* in the second, where more than 127 bytes follow, as in every certificate: no text begins so */
#define NO_DIGIT 64

/* A part of the file. */
typedef struct {
    const unsigned char *start, *end;
} SPAN;

static const struct {
    const char *label[2];
    const char *none;                   /* what is said where there is none */
    const char *several;                /* 0: there may be several */
} kinds[] = {
    [PEM_AUTHORITIES] = {{"CERTIFICATE", "CERTIFICATE"}, "there is no certificate in it", 0},
    [PEM_CERTIFICATE] = {{"CERTIFICATE", "CERTIFICATE"}, "there is no certificate in it", "there is more than one certificate in it"},
    [PEM_PRIVATE_KEY] = {{"PRIVATE KEY", "EC PRIVATE KEY"}, "there is no EC private key in it", "there is more than one private key in it"}
};

static int begins_with(SPAN span, const char *text)
{
    size_t length = strlen(text);

    return (size_t)(span.end - span.start) >= length && memcmp(span.start, text, length) == 0;
}

/* Where the text is; the end of the span where it is not. */
static const unsigned char *find(SPAN span, const char *text)
{
    while (span.start < span.end && !begins_with(span, text)) {
        span.start++;
    }
    return span.start;
}

static int is(SPAN span, const char *text)
{
    return begins_with(span, text) && (size_t)(span.end - span.start) == strlen(text);
}

static int equal(SPAN one, SPAN other)
{
    return one.end - one.start == other.end - other.start && memcmp(one.start, other.start, (size_t)(one.end - one.start)) == 0;
}

/* What lies before a text, which the span begins behind afterwards; the rest of the span where the text is not there. */
static SPAN take_before(SPAN *span, const char *text)
{
    SPAN before = {span->start, find(*span, text)};

    span->start = (before.end < span->end) ? before.end + strlen(text) : span->end;
    return before;
}

/* Takes the next block out of the rest: 1, or 0 where there is none, or -1 where it is cut off, or ends as another began. */
static int next_block(SPAN *rest, SPAN *label, SPAN *body)
{
    SPAN last;

    take_before(rest, BEGIN);
    if (rest->start == rest->end) {
        return 0;
    }
    *label = take_before(rest, DASHES);
    *body = take_before(rest, END);
    last = take_before(rest, DASHES);
    return (last.end < rest->end && equal(last, *label)) ? 1 : -1;
}

static unsigned digit_value(unsigned char character)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *digit = (character != '\0') ? strchr(digits, character) : 0;

    return (digit != 0) ? (unsigned)(digit - digits) : NO_DIGIT;
}

/* Writes the bytes that base64 stands for, and moves behind them: 1, or 0 where it is not valid. They may take the place of their own
   digits, since there are never more of them than of the digits that were read before. */
static int decode_base64(SPAN text, unsigned char **to)
{
    unsigned bits = 0;
    unsigned long digits = 0;
    unsigned long padding = 0;

    for (; text.start < text.end; text.start++) {
        unsigned value = digit_value(*text.start);

        if (memchr("\n\r\t ", *text.start, 4) != 0) {
            continue;
        }
        if (*text.start == '=') {
            padding++;
            continue;
        }
        if (value == NO_DIGIT || padding > 0) {
            return 0;
        }
        bits = (bits << 6 | value) & 0xffff;
        digits++;
        if (digits % 4 != 1) {          /* the first of four digits completes no byte */
            *(*to)++ = (unsigned char)(bits >> (2 * (4 - digits % 4) % 8));
        }
    }
    return digits > 0 && padding <= 2 && (digits + padding) % 4 == 0;
}

const char *pem_decode(unsigned char *content, size_t *length, PEM_KIND kind)
{
    SPAN rest = {content, content + *length};
    SPAN label, body;
    unsigned char *to = content;
    int blocks = 0;
    int wanted = 0;
    int found;

    if (*length > 1 && content[0] == DER_SEQUENCE && (content[1] & DER_LONG) != 0) {
        return 0;                       /* not PEM, even where a text in it looks so */
    }
    while ((found = next_block(&rest, &label, &body)) > 0) {
        blocks++;
        if (kind == PEM_PRIVATE_KEY && (is(label, "ENCRYPTED PRIVATE KEY") || find(body, "4,ENCRYPTED") != body.end)) {
            return "the private key is encrypted: store it without a pass phrase";
        }
        if (!is(label, kinds[kind].label[0]) && !is(label, kinds[kind].label[1])) {
            continue;
        }
        if (++wanted > 1 && kinds[kind].several != 0) {
            return kinds[kind].several;
        }
        if (!decode_base64(body, &to)) {
            return "its base64 is not valid";
        }
    }
    if (found < 0) {
        return "a block in it is not complete";
    }
    if (blocks == 0) {
        return (*length > 0 && *content == DER_SEQUENCE) ? 0 : "it is neither PEM nor DER";
    }
    *length = (size_t)(to - content);
    return (wanted == 0) ? kinds[kind].none : 0;
}
