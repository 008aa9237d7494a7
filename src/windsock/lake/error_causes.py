"""What failed, by what an error names: the macros that read a signature, and the view that holds the cause of each."""

ERROR_CAUSES = """
-- A signature without its frame: what was raised, wherever in the code.
create or replace temp macro without_frame(signature) as regexp_replace(signature, ' @ ([^ ]+|[^@:]+[.]py):[^ @]+$', '');

-- What failed, wherever in the code: a signature without its frame; where it names a login, a connection or a host that
-- cannot be reached, that name, for one bad credential is told in many words. A server that refuses credentials without naming
-- a user is a login of that host. A refusal that says of what (a table, a dataset) is not: it is one cause for each.
create or replace temp macro cause_of(signature) as coalesce(
    'login ' || nullif(regexp_extract(
        signature,
        '(?i)(?:authentication failed|access denied|login failed|incorrect username or password|no pg_hba[.]conf entry).{0,60}?'
            || '[^a-z](?:user|role|login)[ :]*["''`]([[:word:]@.+-]+)',
        1
    ), ''),
    'connection ' || nullif(
        regexp_extract(signature, '(?i)[^a-z]conn(?:ection)?[_ ]id["''`]?[ :=]*["''`]([[:word:].-]+)', 1), ''
    ),
    'connection ' || nullif(
        regexp_extract(signature, '(?i)connection with id ["''`]?([[:word:].-]+)["''`]? (?:was )?not found', 1), ''
    ),
    -- requests and google-auth: 401, and 403 of a whole address
    'login ' || nullif(regexp_extract(
        signature,
        '(?i)(?:client error: (?:unauthorized|forbidden) for url: |unauthorized: <n> [a-z]+ )https?://([a-z][[:word:]<>.-]*)',
        1
    ), ''),
    'login ' || nullif(
        regexp_extract(signature, '(?i)failed to connect to db: ([a-z][[:word:]<>.-]*):.{0,9} incorrect username or password', 1), ''
    ),
    case when regexp_matches(
        signature,
        '(?i)refused|timed? ?out|resolve|unreachable|max retries|translate host|not known|could not connect|can''t connect|'
            || 'cannot connect|unable to connect|ssl error|certificate|reset by peer'
    ) then 'host ' || nullif(regexp_extract(
        signature,
        '(?i)(?:host=|host name |failed to resolve |server (?:at|on) )["''`]([a-z][[:word:]-]*(?:[.][[:word:]<>-]+)*)["''`]',
        1
    ), '') end,
    -- botocore, requests, aiohttp, Snowflake: an address without its path, or a name with a dot
    'host ' || nullif(regexp_extract(
        signature,
        '(?i)(?:could not connect to the|connect timeout on|read timeout on) endpoint url: ["''`]https?://([a-z][[:word:]<>.-]*)',
        1
    ), ''),
    'host ' || nullif(regexp_extract(
        signature,
        '(?i)(?:ssl validation failed for|server error: (?:service unavailable|bad gateway|gateway time-?out) for url:) '
            || 'https?://([a-z][[:word:]<>.-]*)',
        1
    ), ''),
    'host ' || nullif(regexp_extract(
        signature,
        '(?i)(?:cannot connect to host|connection to host|verify the account name is correct:) '
            || '([a-z][[:word:]<>-]*(?:[.][[:word:]<>-]+)+)',
        1
    ), ''),
    without_frame(signature)
);

-- Whether an error is one of reaching something, or of being let in, whatever the client: of such a one the connection that
-- was taken last before it is worth a name. A right that lacks on one table or bucket is no such error.
create or replace temp macro is_of_connection(signature) as regexp_matches(
    signature,
    '(?i)connection (?:refused|timed out|reset|aborted|to server at)|lost connection|closed the connection|connection closed|'
        || 'connect timeout|(?:could not|cannot|can''t|unable to|failed to) (?:re)?connect|broken pipe|network is unreachable|'
        || 'name or service not known|temporary failure in name resolution|no route to host|ssh protocol banner|'
        || 'remote end closed|max retries exceeded|certificate verify failed|ssl error|handshake|'
        || 'unable to locate credentials|determine credentials|invalid ?access ?key|expired ?token|token (?:has |is )?expired|'
        || 'invalid_grant|invalid_client|authentication failed|authenticationexception|login (?:failed|denied)|logon denied|'
        || 'invalid (?:username|password|credentials|api key|token)|incorrect username or password|'
        || 'unauthorized|unauthenticated|http <n>: forbidden|[(]<n>[)][^a-z]{0,4}when calling the headobject|headobject operation: forbidden'
);

-- One row per signature without its frame, of the weeks seen: `cause`, what its text names (`cause_of`).
-- Where it is an error of reaching something and names nothing, the connection that nine in ten of its tries took last, where
-- their logs tell: the clients' words differ, the connection is one. Where the tries took several, it is no connection's fault.
create or replace temp view error_causes as
with errors as (
    select without_frame(error_signature) as bare_signature, connections[-1] as connection, count(*) as tries
    from task_logs
    where error_signature is not null  -- whatever the log's own state: others may know that the try failed
    group by all
),
taken as (
    select
        bare_signature,
        arg_max(connection, (tries, connection)) as connection,
        max(tries) filter (where connection is not null) as most,
        sum(tries) as tries
    from errors
    group by bare_signature
)
select
    bare_signature,
    case
        when most >= 0.9 * tries and cause_of(bare_signature) = bare_signature and is_of_connection(bare_signature)
            then 'connection ' || connection
        else cause_of(bare_signature)
    end as cause
from taken;
"""
