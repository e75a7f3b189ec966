/* Leads to another page as a link does that is pressed. */
import htmx from "htmx.org";

export function followLink(href: string): void {
  const link = Object.assign(document.createElement("a"), { href, hidden: true });
  document.body.append(link); // stays until the answer: htmx drops answers to what is gone
  htmx.process(link);
  link.click();
}
