"""The screens, a file each: routes, view data as frozen values, and the template that shows them."""
