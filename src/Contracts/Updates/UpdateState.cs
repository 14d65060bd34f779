using System.Text.Json.Serialization;

namespace Dunlin.Contracts.Updates;

/// <summary>Where an update stands; journalled before the action that the name announces.</summary>
public enum UpdateState
{
    [JsonStringEnumMemberName("idle")] Idle = 0,
    [JsonStringEnumMemberName("received")] Received = 1,
    [JsonStringEnumMemberName("fetching")] Fetching = 2,
    [JsonStringEnumMemberName("fetched")] Fetched = 3,
    [JsonStringEnumMemberName("checked")] Checked = 4,
    [JsonStringEnumMemberName("raced")] Raced = 5,
    [JsonStringEnumMemberName("switching")] Switching = 6,
    [JsonStringEnumMemberName("trial")] Trial = 7,
    [JsonStringEnumMemberName("committed")] Committed = 8,
    [JsonStringEnumMemberName("rejected")] Rejected = 9,
    [JsonStringEnumMemberName("rolledBack")] RolledBack = 10,
    [JsonStringEnumMemberName("cancelled")] Cancelled = 11,
}
