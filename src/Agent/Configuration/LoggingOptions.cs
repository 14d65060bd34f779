using System.ComponentModel.DataAnnotations;

namespace Dunlin.Agent.Configuration;

/// <summary>Section <c>Logging</c>.</summary>
public sealed class LoggingOptions
{
    public const string Section = "Logging";

    /// <summary><c>verbose</c>, <c>debug</c>, <c>information</c>, <c>warning</c> or <c>error</c>.</summary>
    [RegularExpression("(?i)verbose|debug|information|warning|error", ErrorMessage = "must be verbose, debug, information, warning or error")]
    public string Level { get; set; } = "information";

    /// <summary><c>console</c> for people, <c>json</c> (compact log event format) for machines.</summary>
    [RegularExpression("(?i)console|json", ErrorMessage = "must be console or json")]
    public string Format { get; set; } = "console";
}
