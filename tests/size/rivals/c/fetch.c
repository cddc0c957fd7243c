/*
 * What does the fetch cost in C? The HTTP by hand, the JSON by cJSON, the C library newlib-nano.
 *
 * It does what the Rust rivals do: a POST with a Content-Length, a reply with a Content-Length, in chunks, or until the
 * connection ends. Like theirs its body is put together without escapes and its errors have no reason.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cJSON.h"

/* The compiler knows nothing of what passes through here. */
#define UNKNOWN(value) __asm__ volatile("" : "+r"(value) : : "memory")

#define BUFFER_LEN 1024
#define TOKEN_LEN 512

/* The connection: takes and brings what it pleases, -1 for an error. */
static int connection_write(const char *bytes, int len)
{
    UNKNOWN(bytes);
    UNKNOWN(len);
    return len;
}

static int connection_read(char *room, int len)
{
    UNKNOWN(room);
    UNKNOWN(len);
    return len;
}

static int write_all(const char *bytes, int len)
{
    while (len > 0) {
        int taken = connection_write(bytes, len);
        if (taken <= 0 || taken > len)
            return -1;
        bytes += taken;
        len -= taken;
    }
    return 0;
}

static int send_request(const char *id, const char *secret, char *buffer)
{
    char body[256];
    int body_len = snprintf(body, sizeof body,
        "{\"grant_type\":\"client_credential\",\"appid\":\"%s\",\"secret\":\"%s\",\"force_refresh\":false}", id, secret);
    if (body_len < 0 || body_len >= (int) sizeof body)
        return -1;
    int len = snprintf(buffer, BUFFER_LEN,
        "POST /cgi-bin/stable_token HTTP/1.1\r\nHost: api.weixin.qq.com\r\nContent-Type: application/json\r\n"
        "Content-Length: %d\r\nConnection: close\r\n\r\n%s", body_len, body);
    if (len < 0 || len >= BUFFER_LEN)
        return -1;
    return write_all(buffer, len);
}

struct head {
    int status;
    long content_length; /* -1 if not announced */
    int chunked;
    int len; /* of the head itself */
};

/* Reads until the head is complete; the number of bytes in the buffer, or -1. */
static int read_head(char *buffer, struct head *head)
{
    int filled = 0;
    char *end = NULL;
    while (!end) {
        if (filled == BUFFER_LEN - 1)
            return -1;
        int n = connection_read(buffer + filled, BUFFER_LEN - 1 - filled);
        if (n <= 0 || n > BUFFER_LEN - 1 - filled)
            return -1;
        filled += n;
        buffer[filled] = 0;
        end = strstr(buffer, "\r\n\r\n");
    }
    if (strncmp(buffer, "HTTP/1.", 7) != 0 || !strchr(buffer, ' '))
        return -1;
    head->status = (int) strtol(strchr(buffer, ' '), NULL, 10);
    head->content_length = -1;
    head->chunked = 0;
    head->len = (int) (end - buffer) + 4;
    for (char *line = strstr(buffer, "\r\n") + 2; line < end; line = strstr(line, "\r\n") + 2) {
        if (strncasecmp(line, "content-length:", 15) == 0) {
            head->content_length = strtol(line + 15, NULL, 10);
            if (head->content_length < 0 || head->content_length > BUFFER_LEN - 1)
                return -1;
        } else if (strncasecmp(line, "transfer-encoding:", 18) == 0) {
            head->chunked = 1;
        }
    }
    return filled;
}

/* Decodes the chunks in place; the length of the body, -1 when it is malformed, -2 when it is not complete yet. */
static int decode_chunks(const char *raw, int raw_len, char *body)
{
    int at = 0, len = 0;
    for (;;) {
        const char *line_end = memchr(raw + at, '\n', (size_t) (raw_len - at));
        if (!line_end)
            return -2;
        long chunk = strtol(raw + at, NULL, 16);
        at = (int) (line_end - raw) + 1;
        if (chunk == 0)
            return len;
        if (chunk < 0 || chunk > BUFFER_LEN)
            return -1;
        if (at + chunk + 2 > raw_len)
            return -2;
        memcpy(body + len, raw + at, (size_t) chunk);
        len += (int) chunk;
        at += (int) chunk + 2;
    }
}

/* The length of the body, which stands in `body`, or -1. */
static int read_reply(char *buffer, char *body)
{
    struct head head;
    int filled = read_head(buffer, &head);
    if (filled < 0)
        return -1;
    char *raw = buffer + head.len;
    int raw_len = filled - head.len;
    for (;;) {
        if (head.chunked) {
            int len = decode_chunks(raw, raw_len, body);
            if (len != -2)
                return len;
        } else if (head.content_length >= 0 && raw_len >= head.content_length) {
            memcpy(body, raw, (size_t) head.content_length);
            return (int) head.content_length;
        }
        int room = BUFFER_LEN - head.len - raw_len;
        int n = room > 0 ? connection_read(raw + raw_len, room) : -1;
        if (n < 0 || n > room)
            return -1;
        if (n == 0) {
            if (head.chunked || head.content_length >= 0)
                return -1;
            memcpy(body, raw, (size_t) raw_len);
            return raw_len;
        }
        raw_len += n;
    }
}

/* 0 and a token with its life; or the errcode; or -1000 when there was no sensible reply. */
static int fetch(const char *id, const char *secret, char *token, int *expires_in)
{
    static char buffer[BUFFER_LEN], body[BUFFER_LEN];
    int result = -1000;
    if (send_request(id, secret, buffer) < 0)
        return result;
    int len = read_reply(buffer, body);
    if (len < 0)
        return result;
    cJSON *reply = cJSON_ParseWithLength(body, (size_t) len);
    const cJSON *text = cJSON_GetObjectItemCaseSensitive(reply, "access_token");
    const cJSON *life = cJSON_GetObjectItemCaseSensitive(reply, "expires_in");
    const cJSON *errcode = cJSON_GetObjectItemCaseSensitive(reply, "errcode");
    if (cJSON_IsString(text) && cJSON_IsNumber(life) && strlen(text->valuestring) <= TOKEN_LEN) {
        strcpy(token, text->valuestring);
        *expires_in = life->valueint;
        result = 0;
    } else if (cJSON_IsNumber(errcode)) {
        result = errcode->valueint;
    }
    cJSON_Delete(reply);
    return result;
}

int main(void)
{
    static char token[TOKEN_LEN + 1];
    for (;;) {
        const char *id = "text", *secret = "text";
        UNKNOWN(id);
        UNKNOWN(secret);
        int expires_in = 0;
        int result = fetch(id, secret, token, &expires_in);
        UNKNOWN(result);
        UNKNOWN(expires_in);
    }
}
