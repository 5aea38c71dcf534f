"""Has scim2-tester go over a SCIM service, then pushes as a provider does with scim2-client. Prints JSON."""

import json
import os

from httpx2 import Client
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_models import PatchOp, PatchOperation, SearchRequest
from scim2_tester import Status, check_server

headers = {"Authorization": f"Bearer {os.environ['SCIM_TOKEN']}"}
with Client(base_url=os.environ["SCIM_URL"], headers=headers, timeout=30) as http:
    client = SyncSCIMClient(http)
    results = check_server(client)
    good = (Status.SUCCESS, Status.SKIPPED)
    failed = [f"{one.title}: {one.reason}" for one in results if one.status not in good]
    client.discover()
    User, Group = client.get_resource_model("User"), client.get_resource_model("Group")
    ada = client.create(User(user_name="ada@example.com", display_name="Ada Amsel", active=True))
    client.create(Group(display_name="Pushed", members=[Group.Members(value=ada.id)]))
    change = PatchOp[User](operations=[PatchOperation(op="replace", path="title", value="Chief")])
    client.modify(User, ada.id, change)
    found = client.query(User, query_parameters=SearchRequest(filter='userName eq "ada@example.com"'))
    user = found.resources[0]
    print(json.dumps({
        "checked": len(results), "failed": failed, "id": user.id, "title": user.title,
        "groups": [group.display for group in user.groups or []],
    }))
