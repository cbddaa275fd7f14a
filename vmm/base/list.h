/*
 * vmm/base/list.h - a doubly linked list whose links are embedded in what it
 * lists. A zeroed link is in no list.
 */
#ifndef VMM_BASE_LIST_H
#define VMM_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
	struct list *prev, *next;
};

/* The head of an empty list: it links to itself. */
static inline void list_init(struct list *head)
{
	head->prev = head->next = head;
}

static inline bool list_linked(const struct list *link)
{
	return link->next != NULL;
}

static inline void list_add_tail(struct list *head, struct list *link)
{
	link->prev = head->prev;
	link->next = head;
	head->prev->next = link;
	head->prev = link;
}

/* Fine for a link that is in no list. */
static inline void list_remove(struct list *link)
{
	if (!list_linked(link))
		return;
	link->prev->next = link->next;
	link->next->prev = link->prev;
	link->prev = link->next = NULL;
}

/* NULL when the list is empty. */
static inline struct list *list_first(const struct list *head)
{
	return head->next == head ? NULL : head->next;
}

/* The one after @link, or NULL. */
static inline struct list *list_next(const struct list *head,
				     const struct list *link)
{
	return link->next == head ? NULL : link->next;
}

#endif
