"""Comments on items: anyone signed in may ask beside an item, and whoever wrote one takes it back."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from readiness.actions import comments
from readiness.models import Comment, Environment, Event, Item, User
from readiness.selectors.sheets import sheet
from readiness.templatetags.said import with_links
from tests.deeds import ask, everything, refused, tick, version
from tests.factories import NOW, item_of, make_environment, make_member, make_person, make_service, make_team

pytestmark = [pytest.mark.django_db, pytest.mark.only_on("postgresql")]


@pytest.fixture
def mia() -> User:
    return make_member(make_team("Conversational"), "mia")


@pytest.fixture
def prod(mia: User) -> Environment:
    return make_environment(make_service(mia.teams.get(), by=mia), "prod", by=mia, now=timezone.now())


@pytest.fixture
def item(prod: Environment) -> Item:
    return item_of(prod, "spend-cap")


def signed_in(client: Client, person: User) -> Client:
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    return client


def address(item: Item, prod: Environment, name: str = "item-comment", *more: int) -> str:
    return reverse(name, args=[prod.service.slug, prod.name, item.entry.slug, *more])


def test_a_reader_comments_and_everybody_sees_who_said_what(client: Client, prod: Environment, item: Item) -> None:
    reader = make_person("ada", first_name="Ada", last_name="Ng")
    text = "Is the cap <b>ours</b>?\nSee https://docs.example.ca/caps."
    signed_in(client, reader).post(address(item, prod), {"text": text.replace("\n", "\r\n")})

    html = client.get(address(item, prod, "item") + "?tab=comments").content.decode()
    assert "Ada Ng" in html
    assert "Is the cap &lt;b&gt;ours&lt;/b&gt;?\nSee <a href=" in html
    assert 'href="https://docs.example.ca/caps"' in html
    assert Comment.objects.get().text == text
    event = Event.objects.latest("id")
    assert (event.kind, event.item, event.actor) == ("comment.added", item, reader)
    assert text not in event.text, "The ledger keeps no words that may be taken back."
    rows = sheet(prod, timezone.now()).rows
    assert {row.entry.slug: row.comments for row in rows if row.comments} == {"spend-cap": 1}
    assert "1<span" in client.get(prod.get_absolute_url()).content.decode()

    reader.is_active = False
    reader.save()
    assert (
        "(has left)"
        in signed_in(client, make_person()).get(address(item, prod, "item") + "?tab=comments").content.decode()
    )


def test_whoever_wrote_a_comment_takes_it_back_once_and_its_words_are_gone(
    client: Client, mia: User, prod: Environment, item: Item
) -> None:
    said = comments.add(by=mia, item_id=item.pk, text="The old cap was wrong.", now=NOW)
    with refused("whoever wrote"):
        comments.remove(by=make_person(is_superuser=True), comment_id=said.pk, now=NOW)
    comments.remove(by=mia, comment_id=said.pk, now=NOW - timedelta(seconds=1))
    html = signed_in(client, mia).get(address(item, prod, "item") + "?tab=comments").content.decode()
    assert "The old cap was wrong." not in html
    assert "Taken back" in html
    assert Event.objects.latest("id").kind == "comment.removed"
    assert not any(row.comments for row in sheet(prod, NOW).rows)
    again = client.post(address(item, prod, "item-comment-remove", said.pk))
    assert (again.status_code, "taken back already" in again.content.decode()) == (422, True)


def test_a_comment_crosses_nobodys_form(mia: User, item: Item) -> None:
    before = version(item)
    comments.add(by=make_person(), item_id=item.pk, text="Who ticks this?", now=NOW)
    assert version(item) == before
    tick(mia, item)
    ask(mia, item_of(item.environment or make_environment(), "alerts"))


@pytest.mark.parametrize(("text", "why"), [("", "Write something"), (" \n ", "Write something"), ("x" * 4001, "4,000")])
def test_an_empty_or_endless_comment_is_not_kept(
    client: Client, mia: User, prod: Environment, item: Item, text: str, why: str
) -> None:
    before = everything()
    answer = signed_in(client, mia).post(address(item, prod), {"text": text})
    assert (answer.status_code, why in answer.content.decode()) == (422, True)
    assert everything() == before


def test_only_addresses_that_could_be_evidence_become_links() -> None:
    assert "<a " not in with_links("javascript://x http://user:pass@host.example/ http:// <script>")
    assert with_links('("https://a.example/b".)').count("<a ") == 1
    assert 'href="https://a.example/b"' in with_links("(https://a.example/b).")
    assert with_links("<i>&") == "&lt;i&gt;&amp;"
