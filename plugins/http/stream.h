/* stream.h - the feed as server-sent events: as long as the peer likes, a page at a time. */
#ifndef HTTP_STREAM_H
#define HTTP_STREAM_H

#include <stdint.h>

#include "filter.h"
#include "request.h"

/* Answer with all entries after this number, and all to come, that pass; `is_lost`: tell first that
 * the feed does not have what stood there, and begin at its end. The filter is spent. */
void stream_changes(struct request *r, int64_t after, bool is_lost, struct filter *filter);

#endif
