namespace Dunlin.Agent.Configuration;

/// <summary>What this device shows to one artifact host: a user name with a password, or a token. Never logged, never sent elsewhere.</summary>
public sealed class HostCredential
{
    /// <summary><c>host</c> or <c>host:port</c>; the only one that these credentials are sent to.</summary>
    public string Host { get; set; } = "";

    public string UserName { get; set; } = "";

    /// <summary>Better kept in <see cref="PasswordFile"/>.</summary>
    public string Password { get; set; } = "";

    /// <summary>A file whose first line is the password; it is read at each use.</summary>
    public string PasswordFile { get; set; } = "";

    /// <summary>A bearer token; better kept in <see cref="TokenFile"/>.</summary>
    public string Token { get; set; } = "";

    /// <summary>A file whose first line is the token; it is read at each use.</summary>
    public string TokenFile { get; set; } = "";

    /// <summary>Whether a token is sent rather than a user name with a password.</summary>
    internal bool IsToken => (Token + TokenFile).Length > 0;

    internal int SecretCount => new[] { Password, PasswordFile, Token, TokenFile }.Count(secret => secret.Length > 0);
}
