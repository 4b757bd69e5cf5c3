/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/number_uri.h"

#include <stdio.h>
#include <strings.h>

#include "indicator/uri.h"

bool number_is_uri(const char *dialled)
{
	return strchr(dialled, '@') != NULL;
}

bool number_domain_owned(const struct numbers_config *config, struct view domain)
{
	for (unsigned k = 0; k < config->n_domains; k++)
		if (domain_within(domain, view_str(config->domains[k])))
			return true;
	return false;
}

/* The last label. */
static struct view last_label(struct view domain)
{
	size_t n = domain.n;

	while (n && domain.p[n - 1] != '.')
		n--;
	return view_from(domain, n);
}

/* Nobody can own these (RFC 2606, RFC 6761, RFC 8375), or they are of one network. */
static bool is_nobodys(struct view domain)
{
	static const char *const labels[] = {"test", "example", "invalid", "localhost",
		"local", "lan", "home", "internal", "arpa", "onion"};
	struct view last = last_label(domain);

	if (last.n == domain.n || last.n < 2)
		return true;
	for (size_t k = 0; k < last.n; k++)
		if (last.p[k] < 'a' || last.p[k] > 'z')
			/* An internationalised one, or digits: then it is an address. */
			return !view_starts(last, "xn--");
	for (size_t k = 0; k < sizeof labels / sizeof labels[0]; k++)
		if (view_eq(last, view_str(labels[k])))
			return true;
	return false;
}

uint8_t number_uri(const struct numbers_config *config, const char *dialled, char *uri)
{
	bool schemed = !strncasecmp(dialled, "sip:", 4) ||
		!strncasecmp(dialled, "sips:", 5);
	char text[80], domain[256];
	struct address address;
	const char *host;
	struct view name;

	snprintf(text, sizeof text, "%s%s", schemed ? "" : "sip:", dialled);
	if (uri_canonical(uri, view_str(text), NULL))
		return FATE_INVALID;
	host = strchr(uri, '@');
	if (!host)
		return FATE_INVALID;
	host++;
	/* Somebody's own address there is his way to this site. */
	name = view_of(host, strcspn(host, *host == '[' ? "]" : ":;?"));
	if (*host == '[' || !address_parse(&address, name, NULL))
		return FATE_OWN;
	if (domain_canonical(domain, name, NULL) || is_nobodys(view_str(domain)))
		return FATE_INVALID;
	if (!config->n_domains)
		return FATE_NO_DOMAINS;
	return number_domain_owned(config, view_str(domain)) ? FATE_OWN : FATE_URI;
}
