-- Where the database is dialled from. Copies and backups bring this row along, but not the file that confirms it.
create table dialling (
    id integer primary key check (id = 1),
    epoch integer not null check (epoch >= 1),
    place text not null,
    dials integer not null check (dials >= 0)
) strict;

insert into dialling (id, epoch, place, dials) values (1, 1, lower(hex(randomblob(16))), 0);
