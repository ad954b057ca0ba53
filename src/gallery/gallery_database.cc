// SPDX-License-Identifier: LGPL-2.1-or-later

#include "gallery/gallery_database.h"

#include <iterator>

#include "gallery/gallery_file.h"
#include "gallery/postgres.h"

namespace sightline {
namespace {

// The tables of a gallery file, with PostgreSQL's types. What ANALYZE would keep examples of,
// names and vectors, it is told to leave alone.
constexpr char kFirst[] = R"sql(
CREATE TABLE gallery(
  one bigint PRIMARY KEY CHECK (one = 1),
  model_id text, model_name text, dimensions bigint,
  created text NOT NULL,
  removals bigint NOT NULL DEFAULT 0,
  wiped bigint NOT NULL DEFAULT 0,
  identity text NOT NULL DEFAULT replace(gen_random_uuid()::text, '-', ''),
  change bigint NOT NULL DEFAULT 1,
  threshold double precision, margin double precision,
  calibration_slope double precision, calibration_offset double precision);
CREATE TABLE persons(
  number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  id text NOT NULL UNIQUE,
  name text NOT NULL UNIQUE,
  created text NOT NULL,
  threshold double precision, margin double precision,
  changed bigint NOT NULL DEFAULT 0);
CREATE INDEX persons_by_change ON persons(changed);
CREATE TABLE embeddings(
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  person bigint NOT NULL REFERENCES persons(number) ON DELETE CASCADE,
  vector /*type*/ NOT NULL,
  source text NOT NULL,
  created text NOT NULL,
  changed bigint NOT NULL DEFAULT 0);
CREATE INDEX embeddings_by_person ON embeddings(person);
CREATE INDEX embeddings_by_change ON embeddings(changed);
CREATE TABLE thumbnails(
  embedding bigint PRIMARY KEY REFERENCES embeddings(id) ON DELETE CASCADE,
  jpeg bytea NOT NULL);
CREATE TABLE crops(
  embedding bigint PRIMARY KEY REFERENCES embeddings(id) ON DELETE CASCADE,
  picture bytea NOT NULL,
  landmarks bytea NOT NULL);
CREATE TABLE changes(number bigint PRIMARY KEY);
INSERT INTO changes VALUES (1);
CREATE TABLE removed(change bigint NOT NULL, embedding bigint, person text);
CREATE INDEX removed_by_change ON removed(change);
CREATE TABLE audit(
  number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  time text NOT NULL,
  program text NOT NULL,
  action text NOT NULL,
  person text NOT NULL);
ALTER TABLE persons ALTER name SET STATISTICS 0;
ALTER TABLE embeddings ALTER vector SET STATISTICS 0, ALTER source SET STATISTICS 0;
ALTER TABLE thumbnails ALTER jpeg SET STATISTICS 0;
ALTER TABLE crops ALTER picture SET STATISTICS 0, ALTER landmarks SET STATISTICS 0;
)sql";

// As a gallery file's third.
constexpr char kSecond[] = "ALTER TABLE gallery ADD COLUMN compare text;";

// Number n makes version n + 1 of version n; a new schema is of version 0.
constexpr const char* kMigrations[] = {kFirst, kSecond};
constexpr std::int64_t kVersion = std::size(kMigrations);

// Among what an application locks by number; everybody's migrations take turns.
constexpr char kMigrationLock[] = "SELECT pg_advisory_xact_lock(1397181529)";  // "SGLY"

bool has_table(const PostgresDatabase& database, const char* table) {
  Statement row(database,
                "SELECT count(*) FROM pg_catalog.pg_class c "
                "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
                "WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind = 'r'");
  row.bind(database.url().schema).bind(table);
  return row.step() && row.integer(0) == 1;
}

// Tables are looked for in the schemas that a role may use, so without this right all of them seem
// to be missing.
void require_usage(const PostgresDatabase& database) {
  const std::string& schema = database.url().schema;
  Statement row(database,
                "SELECT quote_ident(current_user) FROM pg_catalog.pg_namespace "
                "WHERE nspname = $1 AND NOT has_schema_privilege(oid, 'USAGE')");
  if (!row.bind(schema).step()) return;
  database.fail("does not allow this role to use the schema " + schema +
                ". Have its owner say: GRANT USAGE ON SCHEMA " + database.quoted(schema) + " TO " +
                row.text(0) + ". docs/gallery.md says which privileges it needs");
}

// Tables can be changed by their owner only.
void require_ownership(const PostgresDatabase& database, std::int64_t version) {
  Statement row(database,
                "SELECT pg_get_userbyid(c.relowner)::text FROM pg_catalog.pg_class c "
                "JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
                "WHERE n.nspname = $1 AND c.relname = 'gallery' "
                "AND NOT pg_has_role(c.relowner, 'USAGE')");
  if (!row.bind(database.url().schema).step()) return;
  database.fail("is of an older format (" + std::to_string(version) + ", this Sightline's is " +
                std::to_string(kVersion) +
                "), which only the owner of its tables can bring up to date. Have \"" +
                row.text(0) +
                "\" run once, with this Sightline: sightline gallery list --gallery URL, where the "
                "URL names that role. Older versions of Sightline cannot open it from then on");
}

std::int64_t version_of(const PostgresDatabase& database) {
  if (!has_table(database, "schema_version")) return 0;
  return database.number("SELECT version FROM schema_version");
}

void require_known(const PostgresDatabase& database, std::int64_t version) {
  if (version > kVersion) {
    database.fail("was written by a newer Sightline (format " + std::to_string(version) +
                  ", this one knows up to " + std::to_string(kVersion) + "). Update Sightline");
  }
}

// pgvector's type, where it is there or may be put there: other programs can then ask for
// neighbours themselves.
bool has_vector_type(const PostgresDatabase& database) {
  if (database.number("SELECT count(*) FROM pg_catalog.pg_available_extensions "
                      "WHERE name = 'vector' AND installed_version IS NULL") == 1) {
    try {
      Transaction part(database, Database::Kind::kWrite);
      database.execute("CREATE EXTENSION IF NOT EXISTS vector SCHEMA public");
      part.commit();
    } catch (const Error&) {
      // This role may not, so the vectors are bytes.
    }
  }
  return database.number("SELECT count(to_regtype('vector'))") == 1;
}

std::string with_vector_type(std::string sql, const std::string& type) {
  constexpr std::string_view kPlace = "/*type*/";
  if (const std::size_t at = sql.find(kPlace); at != std::string::npos)
    sql.replace(at, kPlace.size(), type);
  return sql;
}

// Not IF NOT EXISTS: that asks for the right to make schemas even where nothing is to be made.
void create_schema(const PostgresDatabase& database) {
  const std::string& schema = database.url().schema;
  Statement there(database, "SELECT nspname::text FROM pg_catalog.pg_namespace WHERE nspname = $1");
  if (!there.bind(schema).step()) database.execute("CREATE SCHEMA " + database.quoted(schema));
}

// Makes a schema of any older version, or of none, one of this version.
void migrate(const PostgresDatabase& database) {
  Transaction transaction(database, Database::Kind::kWrite);
  database.execute(kMigrationLock);
  const std::int64_t version = version_of(database);  // another process may have been quicker
  require_known(database, version);
  if (version == 0) {
    create_schema(database);
    if (has_table(database, "gallery"))
      database.fail("has a table \"gallery\" of another program in the schema " +
                    database.url().schema + ". Choose another schema: ?schema=NAME");
    database.execute("CREATE TABLE schema_version(version bigint NOT NULL)");
    database.execute("INSERT INTO schema_version VALUES (0)");
  }
  const std::string type = version < 1 && has_vector_type(database) ? "vector" : "bytea";
  for (std::int64_t next = version; next < kVersion; ++next)
    database.execute(with_vector_type(kMigrations[next], type));
  if (version == 0)
    Statement(database, "INSERT INTO gallery(one, created) VALUES (1, $1)").bind(time_now()).run();
  Statement(database, "UPDATE schema_version SET version = $1").bind(kVersion).run();
  transaction.commit();
}

void require_gallery(const PostgresDatabase& database) {
  for (const char* table :
       {"gallery", "persons", "embeddings", "thumbnails", "crops", "changes", "removed", "audit"}) {
    if (!has_table(database, table))
      database.fail(std::string("is damaged: it has no table \"") + table + "\". Restore a backup");
  }
  if (database.number("SELECT one FROM gallery") != 1)
    database.fail("is damaged: its table \"gallery\" is empty. Restore a backup");
}

}  // namespace

void prepare_gallery(PostgresDatabase& database, Gallery::Mode mode) {
  require_usage(database);
  const std::int64_t version = version_of(database);
  require_known(database, version);
  if (version == 0 && mode != Gallery::Mode::kCreate) {
    throw Error(ErrorCode::kNotFound,
                database.name() + " has no gallery in the schema " + database.url().schema +
                    ". Make one: sightline enroll NAME IMAGE... --gallery " + database.name());
  }
  if (version > 0 && version < kVersion) require_ownership(database, version);
  if (version < kVersion) migrate(database);
  require_gallery(database);
  database.look_at_vectors();
}

bool has_gallery_databases() { return true; }

std::unique_ptr<Database> open_gallery_database(const std::string& url, Gallery::Mode mode) {
  auto database = std::make_unique<PostgresDatabase>(
      DatabaseUrl::parse(url), PostgresDatabase::kConnectTime, PostgresDatabase::kAnswerTime);
  prepare_gallery(*database, mode);
  return database;
}

}  // namespace sightline
