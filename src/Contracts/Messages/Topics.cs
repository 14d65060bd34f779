namespace Dunlin.Contracts.Messages;

/// <summary>The topics of one device, <c>dunlin/v1/{fleet}/{device}/…</c> (docs/topics.md).</summary>
public sealed record Topics(string Fleet, string Device)
{
    public const string Prefix = "dunlin/v1";

    /// <summary>Where messages send who has to let a topic through: the page that lists who may what, in a clone and on a board.</summary>
    public const string Page = "topics.md in docs/, on a board in /usr/share/doc/dunlin-agent";

    private string Base => $"{Prefix}/{Fleet}/{Device}";

    public string Status => $"{Base}/status";
    public string Reported => $"{Base}/reported";
    public string Race => $"{Base}/race";
    public string Outcome => $"{Base}/outcome";
    public string Telemetry => $"{Base}/telemetry";
    public string Result => $"{Base}/result";
    public string Reply => $"{Base}/reply";
    public string Blob => $"{Base}/blob";
    public string BlobData => $"{Base}/blob/data";
    public string Desired => $"{Base}/desired";
    public string Fresh => $"{Base}/fresh";
    public string Command(string name) => $"{Base}/command/{name}";
    public string Commands => $"{Base}/command/#";
    public string Root => $"{Prefix}/{Fleet}/root";

    /// <summary>A filter for one kind of message of every device of a fleet.</summary>
    public static string OfAllDevices(string fleet, string kind) => $"{Prefix}/{fleet}/+/{kind}";
}
