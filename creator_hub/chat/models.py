"""Messages as they are now; how they became so is in the channel's stream."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, SmallInteger, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from creator_hub.core.base import Base

LONGEST_MESSAGE = 4000


class Message(Base):
    """One message. `seq` is the stream position of its creation. Deleting empties `text` and `html`."""

    __tablename__ = "messages"
    __table_args__ = (
        UniqueConstraint("channel_id", "seq"),
        UniqueConstraint("channel_id", "author_id", "client_msg_id"),
        CheckConstraint(f"char_length(text) <= {LONGEST_MESSAGE}", name="text_length"),
        CheckConstraint("author_role IN ('creator', 'moderator', 'staff', 'bot', 'member')", name="known_role"),
        CheckConstraint("deleted_by IN ('author', 'moderator')", name="known_remover"),
        Index(
            "ix_messages_text",
            "text",
            postgresql_using="gin",
            postgresql_ops={"text": "gin_trgm_ops"},
            postgresql_where="deleted_at IS NULL",
        ),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    channel_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("channels.id"))
    seq: Mapped[int] = mapped_column(BigInteger)
    author_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"))
    author_role: Mapped[str]
    client_msg_id: Mapped[uuid.UUID]
    text: Mapped[str]
    html: Mapped[str]
    reply_to: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("messages.id"))
    sent_at: Mapped[datetime]
    edited_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None]
    deleted_by: Mapped[str | None]


class RemovedText(Base):
    """What a moderator removed, kept for undo and appeal until `until`; an author's own deletion leaves nothing."""

    __tablename__ = "removed_texts"

    message_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("messages.id"), primary_key=True)
    text: Mapped[str]
    until: Mapped[datetime] = mapped_column(index=True)


class Reaction(Base):
    """One person's one emoji on one message."""

    __tablename__ = "reactions"
    __table_args__ = (CheckConstraint("char_length(emoji) BETWEEN 1 AND 16", name="emoji_length"),)

    message_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("messages.id"), primary_key=True)
    emoji: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"), primary_key=True)
    at: Mapped[datetime]


class ReadMark(Base):
    """How far a person has read a channel; it only moves forward."""

    __tablename__ = "read_marks"

    channel_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("channels.id"), primary_key=True)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"), primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger)


class Upload(Base):
    """A picture, of a channel and its author; of a message once that is sent. Its bytes lie in the blob store."""

    __tablename__ = "uploads"
    __table_args__ = (
        UniqueConstraint("message_id", "position"),
        CheckConstraint("(message_id IS NULL) = (position IS NULL)", name="place_in_message"),
        CheckConstraint("kind IN ('image/jpeg', 'image/png', 'image/webp', 'image/gif')", name="known_kind"),
        Index("ix_uploads_unsent", "owner_id", postgresql_where="message_id IS NULL"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    channel_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("channels.id"))
    owner_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"))
    message_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("messages.id"))
    position: Mapped[int | None] = mapped_column(SmallInteger)
    name: Mapped[str]
    kind: Mapped[str]
    width: Mapped[int]
    height: Mapped[int]
    size: Mapped[int]
    created_at: Mapped[datetime]


class Mention(Base):
    """A message names a person who can read it. Channel and seq are the message's, for counting what is unread."""

    __tablename__ = "mentions"
    __table_args__ = (Index("ix_mentions_person", "user_id", "channel_id", "seq"),)

    message_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("messages.id"), primary_key=True)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id"), primary_key=True)
    channel_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("channels.id"))
    seq: Mapped[int] = mapped_column(BigInteger)
