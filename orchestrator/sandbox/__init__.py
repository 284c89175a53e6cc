"""The sandbox, a stand-in CRM and helpdesk, and the demo that is played against it."""
